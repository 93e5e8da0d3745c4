"""Defects planted among real photographs, so that it is known what an audit has to find."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy import float64
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from spark_assets.errors import FruitsError
from spark_assets.images.labels import LabelRule
from spark_assets.output.findings_table import FindingKind

_QUALITY = 90
# Of the photographs: labels that are changed, and copies or spoilt ones of each kind.
WRONG_LABELS = 0.05
EACH = 0.04

Generator = np.random.Generator


@dataclass(slots=True)
class Planted:
    """Photographs with planted defects.

    ``kinds`` says what is wrong with a path, ``sources`` of which photograph a path is a copy.
    """

    contents: dict[str, bytes]
    labels: dict[str, str | None]
    n_real_duplicates: int
    kinds: dict[str, FindingKind] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def with_kind(self, kind: FindingKind) -> set[str]:
        return {path for path, planted in self.kinds.items() if planted is kind}

    def clean(self) -> set[str]:
        """Return the paths that nothing was done to, and of which there is no copy."""
        return set(self.contents) - set(self.kinds) - set(self.sources.values())


def plant(folder: Path, *, label_level: int, seed: int) -> Planted:
    """Plant every kind among the photographs ``<split>/.../<name>.jpg`` of a folder.

    Photographs that are there twice to begin with are found and left out, the copy outside of the
    first split.  Raises FruitsError where there are not two splits.
    """
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    if len({path.partition("/")[0] for path in paths}) != 2:
        raise FruitsError(
            f"{folder} does not hold two splits; give a folder with Training and Test"
        )
    contents: dict[str, bytes] = {}
    seen: set[bytes] = set()
    for path in sorted(paths, reverse=True):  # Training before Test
        content = (folder / path).read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest not in seen:
            contents[path] = content
        seen.add(digest)
    labels = dict(zip(contents, LabelRule(label_level).labels_of(list(contents)), strict=True))
    planted = Planted(contents, labels, len(paths) - len(contents))
    generator = np.random.default_rng(seed)
    waiting = [str(path) for path in generator.permutation(sorted(contents))]
    _plant_labels(planted, _taken(waiting, WRONG_LABELS, len(contents)), generator)
    each = round(EACH * len(contents))
    for kind, spoil in _SPOILERS.items():
        for path in _taken(waiting, EACH, len(labels)):
            planted.contents[path] = _encoded(spoil(_opened(contents[path]), generator), _QUALITY)
            planted.kinds[path] = kind
    for n, copy in enumerate((_same, _encoded_anew)):
        for path in waiting[n * each : (n + 1) * each]:
            _leak(planted, path, copy(contents[path], generator), copy is _same)
    return planted


def _taken(waiting: list[str], share: float, n_paths: int) -> list[str]:
    """Take some paths, so that nothing is planted twice in one."""
    return [waiting.pop() for _ in range(round(share * n_paths))]


def _plant_labels(planted: Planted, paths: Sequence[str], generator: Generator) -> None:
    names = sorted({label for label in planted.labels.values() if label is not None})
    for path in paths:
        others = [name for name in names if name != planted.labels[path]]
        planted.labels[path] = str(generator.choice(others))
        planted.kinds[path] = FindingKind.WRONG_LABEL


def _leak(planted: Planted, path: str, content: bytes, is_same: bool) -> None:
    """Put a copy in the other split."""
    split, _, rest = path.partition("/")
    other = next(p.partition("/")[0] for p in planted.labels if not p.startswith(f"{split}/"))
    copy = f"{other}/{rest.removesuffix('.jpg')} copy.jpg"
    planted.contents[copy], planted.labels[copy] = content, planted.labels[path]
    planted.kinds[copy] = FindingKind.DUPLICATE if is_same else FindingKind.NEAR_DUPLICATE
    planted.sources[copy] = path


def _same(content: bytes, generator: Generator) -> bytes:
    return content


def _encoded_anew(content: bytes, generator: Generator) -> bytes:
    """Return it at a lower quality, half of them twice as large or smaller by a fifth."""
    image = _opened(content)
    factor = generator.choice([1.0, 1.0, 2.0, 0.8])
    size = round(factor * image.width), round(factor * image.height)
    return _encoded(image.resize(size, Image.Resampling.BICUBIC), int(generator.integers(60, 91)))


def _blur(image: Image.Image, generator: Generator) -> Image.Image:
    """Blur with a Gaussian of 1 to 3 % of the shorter side."""
    return image.filter(ImageFilter.GaussianBlur(generator.uniform(0.01, 0.03) * min(image.size)))


def _darken(image: Image.Image, generator: Generator) -> Image.Image:
    """Expose by 3 to 5 stops less."""
    return _exposed(image, float(2 ** -generator.uniform(3, 5)))


def _overexpose(image: Image.Image, generator: Generator) -> Image.Image:
    """Expose so that half of what is not paper is white in a colour, and up to a stop more."""
    pixels = np.asarray(image)
    shown = pixels[pixels.min(axis=2) < 240]
    middle = float(np.median(_linear(shown.max(axis=1)))) if len(shown) else 1.0
    return _exposed(image, float(2 ** generator.uniform(0, 1)) / max(middle, 1e-3))


def _shrink(image: Image.Image, generator: Generator) -> Image.Image:
    """Leave 24 to 56 pixels of the shorter side."""
    factor = generator.uniform(24, 56) / min(image.size)
    return image.resize((round(image.width * factor), round(image.height * factor)))


_SPOILERS: dict[FindingKind, Callable[[Image.Image, Generator], Image.Image]] = {
    FindingKind.BLURRED: _blur,
    FindingKind.UNDEREXPOSED: _darken,
    FindingKind.OVEREXPOSED: _overexpose,
    FindingKind.LOW_RESOLUTION: _shrink,
}


def _exposed(image: Image.Image, factor: float) -> Image.Image:
    """Return a picture of so many times the light."""
    light = np.clip(factor * _linear(np.asarray(image)), 0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((255 * values + 0.5).astype(np.uint8))


def _linear(values: NDArray[np.uint8]) -> NDArray[float64]:
    """Return the light behind values of sRGB, 0 to 1."""
    share = values / 255
    linear: NDArray[float64] = np.where(
        share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4
    )
    return linear


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def _encoded(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
