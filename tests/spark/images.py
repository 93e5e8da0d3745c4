"""Small images made in memory, for the tests of decoding, reading and featurizing."""

import base64
import io
from typing import Any

import numpy as np
from PIL import ExifTags, Image


def picture(width: int = 120, height: int = 80, seed: int = 0) -> Image.Image:
    """Return a smooth coloured picture without symmetry, so that a turn or a flip shows."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encode(image: Image.Image, file_format: str = "JPEG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


def stored_as(upright: Image.Image, orientation: int) -> Image.Image:
    """Return an upright image as a camera held in another way stores it."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright.transpose(undo[orientation]) if orientation in undo else upright


def with_orientation(
    image: Image.Image, orientation: int, file_format: str = "PNG", **options: Any
) -> bytes:
    """Encode an upright image as a camera held in another way stores it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encode(stored_as(image, orientation), file_format, exif=exif, **options)


# 64 x 48, green on the left and red on the right, as a phone writes it (HEVC in HEIF).
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAGoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAA"
    "AwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAAB"
    "AAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAHJt"
    "ZGF0AAAAZigBrwngOSMkv//yYv//5u+//8qOxwX/9zD995aA3/xVZ1EY1iyx9o7y+/wPs5xViMcxx4Ry1vcZdkxXZVyr"
    "0Roz90YDy4aspT2tVCQCYf7hEuaTzQY81IoG5536/mqQyW7dHoKsLA=="
)
