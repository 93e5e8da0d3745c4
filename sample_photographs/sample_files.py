"""The files of the sample set: how each image is named, sized, stored, or spoilt."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageChops

from sample_photographs.drawn_fruit import FRUITS, draw_fruit

LABELS = tuple(FRUITS)


@dataclass(frozen=True, slots=True)
class BrokenImage:
    """An image that cannot be decoded: where it lies, and the reason it is rejected for."""

    path: str
    reason: str


BROKEN_IMAGES = (
    BrokenImage("banana/empty.jpg", "empty"),
    BrokenImage("cherry/shopping list.jpg", "not_an_image"),
    BrokenImage("lemon/half copied.jpg", "truncated"),
    BrokenImage("orange/half copied.png", "truncated"),
    BrokenImage("peach/giant poster.png", "too_large"),
)


@dataclass(frozen=True, slots=True)
class SampleShot:
    """How one image is drawn and stored.

    `path` is relative to the set, `key` makes its drawing its own, width and height are those of
    the upright image in pixels, `mode` is Pillow's, `orientation` that of EXIF (1 to 8).
    """

    path: str
    label: str
    key: tuple[int, ...]
    width: int
    height: int
    file_format: str = "JPEG"
    mode: str = "RGB"
    orientation: int = 1


# One row after the other, again and again: {n} is the number of the image within its label. Turned
# images are stored as a camera held in another way does; a cut-out is transparent around the fruit;
# a phone photograph is turned, and has 12 megapixels in every second label, once.
_ROWS = (
    ("IMG_{n:04d}.jpg", "JPEG", "plain"),
    ("_DSC{n:04d}.JPG", "JPEG", "turned"),
    ("{label}-{n:02d}.png", "PNG", "plain"),
    ("récolte {n} 100% bio+#.jpg", "JPEG", "plain"),
    ("scan{n:04d}", "JPEG", "plain"),
    ("{n:02d}.webp", "WEBP", "plain"),
    ("{n:04d}.jpeg", "JPEG", "plain"),
    ("photo ({n}).jpg", "JPEG", "turned"),
    ("PXL_{n:08d}.jpg", "JPEG", "plain"),
    ("cutout-{n:02d}.png", "PNG", "cutout"),
    ("été {n}.jpeg", "JPEG", "turned"),
    ("DSCN{n:04d}.JPG", "JPEG", "phone"),
)
# No common divisor with the number of rows, so that each name meets each size.
_LONGER_SIDES_PX = (240, 100, 320, 480, 160, 1024, 200, 400, 128, 640, 300)
_PROPORTIONS = (1.0, 3 / 4, 2 / 3)
_ODD_MODES = {("cherry", 2): "P", ("peach", 2): "L"}
_SAVE_OPTIONS = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 82},
}
_PHONE_SIZE = (4032, 3024)
_PHONE_REDUCTION = 4
_DRAWN_AT_MOST_PX = 640
_BOMB_SIDE_PX = 40_000
_STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def plan_shots(images_per_label: int) -> Iterator[SampleShot]:
    """Decide how each image is stored; independent of the seed, so that every set has all kinds."""
    for label_index, label in enumerate(LABELS):
        for index in range(images_per_label):
            name, file_format, kind = _ROWS[index % len(_ROWS)]
            longer = _LONGER_SIDES_PX[(index + 3 * label_index) % len(_LONGER_SIDES_PX)]
            shorter = round(longer * _PROPORTIONS[(index + label_index) % len(_PROPORTIONS)])
            if kind == "phone" and index < len(_ROWS) and label_index % 2 == 0:
                longer, shorter = _PHONE_SIZE
            orientation = 1 + (label_index + index) % 8 if kind in ("turned", "phone") else 1
            # From 5 on, the longer side of the sensor stood upright.
            tall = orientation >= 5 or (index + label_index) % 4 == 3
            yield SampleShot(
                path=f"{label}/{name.format(label=label, n=index + 1)}",
                label=label,
                key=(label_index, index),
                width=shorter if tall else longer,
                height=longer if tall else shorter,
                file_format=file_format,
                mode="RGBA" if kind == "cutout" else _ODD_MODES.get((label, index), "RGB"),
                orientation=orientation,
            )


def draw_upright(shot: SampleShot, seed: int) -> Image.Image:
    """Draw one image as a person sees it."""
    rng = np.random.default_rng([seed, *shot.key])
    size = (shot.width, shot.height)
    if max(size) == max(_PHONE_SIZE):
        small = draw_fruit(
            shot.label,
            width=shot.width // _PHONE_REDUCTION,
            height=shot.height // _PHONE_REDUCTION,
            rng=rng,
        )
        return _grained(small.resize(size, Image.Resampling.BICUBIC), rng)
    scale = min(1.0, _DRAWN_AT_MOST_PX / max(size))
    image = draw_fruit(
        shot.label,
        width=round(shot.width * scale),
        height=round(shot.height * scale),
        rng=rng,
        transparent=shot.mode == "RGBA",
    )
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def encode_shot(shot: SampleShot, seed: int) -> bytes:
    """Return the bytes of one image's file, with no metadata but the orientation."""
    image = draw_upright(shot, seed)
    exif = Image.Exif()
    if shot.mode == "P":
        image = image.quantize(128)
    elif shot.mode != image.mode:
        image = image.convert(shot.mode)
    if shot.orientation != 1:
        image = image.transpose(_STORED_AS[shot.orientation])
        exif[ExifTags.Base.Orientation] = shot.orientation
    content = io.BytesIO()
    image.save(content, shot.file_format, exif=exif, **_SAVE_OPTIONS[shot.file_format])
    return content.getvalue()


def encode_broken(broken: BrokenImage, seed: int) -> bytes:
    """Return the bytes of an image that is rejected for `broken.reason`."""
    label, name = broken.path.split("/")
    file_format = "JPEG" if name.endswith(".jpg") else "PNG"
    if broken.reason == "empty":
        return b""
    if broken.reason == "not_an_image":
        return f"To buy: {', '.join(LABELS)}, and cream.\n".encode()
    if broken.reason == "too_large":
        return _bomb()
    key = (LABELS.index(label), 0, 1)  # no other image's
    shot = SampleShot(broken.path, label, key, 320, 240, file_format)
    # The first half keeps the header, so that it opens like an image and ends in the pixels.
    whole = encode_shot(shot, seed)
    return whole[: len(whole) // 2]


def _grained(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add sensor noise from one repeated tile: drawing it for 12 megapixels takes a second."""
    side = 512
    noise = 128 + 3 * rng.standard_normal((side, side), dtype=np.float32)
    tile = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    sheet = Image.new("L", image.size)
    for x in range(0, image.width, side):
        for y in range(0, image.height, side):
            sheet.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", [sheet] * 3), scale=1, offset=-128)


def _bomb() -> bytes:
    """Return a tiny PNG whose header claims 1,600 megapixels: 4.8 GB once decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", _BOMB_SIDE_PX, _BOMB_SIDE_PX, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
