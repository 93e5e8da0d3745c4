"""What a reduced decode of big JPEGs costs in features, and what it saves.

``python -m studies.reduced_decode_2026_11 --images FOLDER --weights FILE --alpha 0.35`` prints a
table.  Each photograph of the folder is enlarged until a reduced scale makes of its shorter side
just so many times the target: the worst case of that factor.  Give photographs with more
detail than the target shows, a side of 400 pixels or more: enlarged ones have none
that they did not have before.
Each is also laid on a plain background, where what is lost by rounding shows most.
"""

import argparse
import io
import math
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figures import describe_machine
from benchmarks.workbench import echo
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.engines import LiteRTEngine
from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import Pixels
from spark_assets.runtime.suppress_output import suppress_native_stderr

SCALES = (8, 4, 2)
# A photograph of 4032 x 3024 has the first at 1/4 and the third at 1/8.
FACTORS = (Fraction(27, 8), Fraction(2), Fraction(27, 16), Fraction(3, 2))
_SUFFIXES = (".jpg", ".jpeg", ".png")
_QUALITY = 88
# No multiple of a scale: the last row and column of the reduced image are then only begun.
_BEYOND_PX = 1
_WALL_LEVEL = 238
_GRAIN_LEVELS = 1.5


def enlarged(photograph: Image.Image, shorter_px: int) -> Image.Image:
    """Return the photograph with so many pixels on its shorter side."""
    ratio = shorter_px / min(photograph.size)
    width, height = (max(shorter_px, round(side * ratio)) for side in photograph.size)
    return photograph.resize((width, height), Image.Resampling.BICUBIC)


def on_a_plain_background(photograph: Image.Image, shorter_px: int) -> Image.Image:
    """Return a light wall of 4:3 with the photograph in its middle, half as high."""
    shape = (shorter_px, shorter_px * 4 // 3)
    shade = np.linspace(0, -8, shape[0])[:, None] + np.linspace(0, -10, shape[1])
    wall = (_WALL_LEVEL + shade).astype(np.uint8)
    scene = Image.fromarray(np.repeat(wall[..., None], 3, axis=2))
    inner = enlarged(photograph, shorter_px // 2)
    scene.paste(inner, ((shape[1] - inner.width) // 2, (shape[0] - inner.height) // 2))
    grainy = np.asarray(scene) + _grain(shape)[..., None]
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))


def _grain(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Draw the grain that the denoising of a camera leaves, wider than a pixel: (height, width)."""
    drawn = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)[::2, ::2]
    wide = np.asarray(Image.fromarray(drawn).resize(shape[::-1], Image.Resampling.BICUBIC))
    grain: NDArray[np.float32] = wide * np.float32(_GRAIN_LEVELS / wide.std())
    return grain


def square(content: bytes, scale: int) -> tuple[Pixels, float]:
    """Decode a JPEG at 1/scale and resize it as the product does; return the seconds beside it.

    Not by the product's own decoder, which refuses scales that are to be measured here.
    """
    started = time.perf_counter()
    image = Image.open(io.BytesIO(content))
    drafted = image.draft("RGB", (image.width // scale, image.height // scale))
    assert drafted is not None
    resized = image.resize((IMAGE_SIZE_PX,) * 2, Image.Resampling.BICUBIC, box=drafted[1])
    return np.asarray(resized), time.perf_counter() - started


def compare(
    photographs: Iterable[Image.Image], scale: int, flatbuffer: bytes
) -> tuple[NDArray[np.float32], float]:
    """Return the cosine of each photograph, and the median ratio of the times."""
    pairs = []
    for photograph in photographs:
        buffer = io.BytesIO()
        photograph.save(buffer, "JPEG", quality=_QUALITY, subsampling="4:2:0")
        pairs.append((square(buffer.getvalue(), 1), square(buffer.getvalue(), scale)))
    with suppress_native_stderr():
        engine = LiteRTEngine(flatbuffer)
    full, reduced = (engine(np.stack([each[which][0] for each in pairs])) for which in (0, 1))
    ratio = statistics.median(each[0][1] / each[1][1] for each in pairs)
    return cosines(full, reduced), ratio


def cosines(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine between each row of one matrix and that of another: (n,)."""
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    found: NDArray[np.float32] = np.sum(some * others, axis=1) / lengths
    return found


def lines(photographs: Sequence[Image.Image], flatbuffer: bytes) -> Iterator[str]:
    """Yield the lines of the table, as they are measured."""
    yield (
        "| times the target | scale | lowest, median cosine | the same on a plain background "
        "| time in full over reduced |"
    )
    yield "|---|---|---|---|---|"
    for factor in FACTORS:
        for scale in SCALES:
            echo(f"{float(factor):.3g} times the target at 1/{scale}")
            shorter_px = math.ceil(factor * IMAGE_SIZE_PX) * scale + _BEYOND_PX
            cells = []
            for make in (enlarged, on_a_plain_background):
                made = (make(photograph, shorter_px) for photograph in photographs)
                found, ratio = compare(made, scale, flatbuffer)
                cells.append(f"{found.min():.4f}, {np.median(found):.4f}")
            yield f"| {float(factor):.3g} | 1/{scale} | {cells[0]} | {cells[1]} | {ratio:.1f} x |"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="studies.reduced_decode_2026_11", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--weights", type=Path, required=True, help="a Keras .weights.h5")
    parser.add_argument("--alpha", type=float, default=1.0)
    arguments = parser.parse_args(argv)
    paths = sorted(path for path in arguments.images.rglob("*") if path.suffix in _SUFFIXES)
    try:
        if not paths:
            raise FruitsError(f"there are no photographs below {arguments.images}; give a folder")
        photographs = [Image.open(path).convert("RGB") for path in paths]
        request = FeatureModelRequest(str(arguments.weights), arguments.alpha)
        flatbuffer = request.obtain(verbose=False).tflite
        print(f"{describe_machine()}; {len(paths)} photographs\n")
        for line in lines(photographs, flatbuffer):
            print(line, flush=True)
    except FruitsError as error:
        echo(str(error))
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
