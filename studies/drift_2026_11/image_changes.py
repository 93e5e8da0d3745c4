"""Photographs as they would be if something had changed since a PCA was fitted."""

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Change = Callable[[Image.Image], Image.Image]

# Of the shorter side: 1 pixel of 100.
_BLUR_RADIUS = 0.01
_BRIGHTNESS = 0.7
# A table of light wood instead of white paper.
_BACKGROUND = (205, 190, 160)
# Sum over the three channels by which the paper may differ from its corner: JPEG is not exact.
_BACKGROUND_TOLERANCE = 60


def blur(image: Image.Image) -> Image.Image:
    """Blur with a Gaussian of 1 % of the shorter side."""
    return image.filter(ImageFilter.GaussianBlur(_BLUR_RADIUS * min(image.size)))


def darken(image: Image.Image) -> Image.Image:
    """Leave 70 % of the brightness."""
    return ImageEnhance.Brightness(image).enhance(_BRIGHTNESS)


def change_background(image: Image.Image) -> Image.Image:
    """Paint what is white and reaches the border in the colour of light wood."""
    # A frame of white joins what the fruit may cut off from the corner.
    framed = Image.new("RGB", (image.width + 2, image.height + 2), (255, 255, 255))
    framed.paste(image, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), _BACKGROUND, thresh=_BACKGROUND_TOLERANCE)
    return framed.crop((1, 1, image.width + 1, image.height + 1))


DRIFTS: dict[str, Change] = {
    "blur": blur,
    "darkening": darken,
    "another background": change_background,
}
