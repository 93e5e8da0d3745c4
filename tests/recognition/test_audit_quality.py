"""Photographs that show little are found, and no good one is."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.photographs import draw_fruit, draw_orchard
from recognition.audit.measure import details_of
from recognition.audit.quality import Quality, defects, measure_quality, reduced
from spark_assets.output.findings_table import FindingKind


def photograph(seed: int = 0, size_px: int = 100) -> Image.Image:
    canvas = draw_fruit(np.random.default_rng(seed), size_px)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def measured(image: Image.Image) -> Quality:
    return measure_quality(reduced(image), image.size)


def kinds(image: Image.Image) -> set[FindingKind]:
    return {found.kind for found in defects(measured(image))}


def blurred(image: Image.Image, share: float = 0.02) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(share * min(image.size)))


def exposed(image: Image.Image, factor: float) -> Image.Image:
    return image.point([min(255, round(factor * value)) for value in range(256)] * 3)


@pytest.mark.parametrize("seed", range(8))
def test_a_good_photograph_has_no_defect(seed):
    assert kinds(photograph(seed)) == set()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("spoilt", "kind"),
    [
        (blurred, FindingKind.BLURRED),
        (lambda image: exposed(image, 0.25), FindingKind.UNDEREXPOSED),
        (lambda image: exposed(image, 4.0), FindingKind.OVEREXPOSED),
        (lambda image: image.resize((40, 40)), FindingKind.LOW_RESOLUTION),
    ],
)
def test_a_spoilt_one_has_that_defect_alone(seed, spoilt, kind):
    assert kinds(spoilt(photograph(seed))) == {kind}


@pytest.mark.parametrize("size_px", [100, 250, 800])
def test_sharpness_does_not_depend_on_the_size_of_a_photograph(size_px):
    assert kinds(photograph(3, size_px)) == set()
    assert kinds(blurred(photograph(3, size_px))) == {FindingKind.BLURRED}


def test_an_enlarged_photograph_is_not_blurred():
    assert kinds(photograph(3).resize((300, 300), Image.Resampling.BICUBIC)) == set()


def test_a_photograph_without_white_paper_is_judged_too():
    canvas = draw_orchard(np.random.default_rng(0), (320, 240))
    orchard = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    assert kinds(orchard) == set()
    assert kinds(blurred(orchard, 0.03)) == {FindingKind.BLURRED}


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0), {FindingKind.UNDEREXPOSED}),
        ((255, 255, 255), {FindingKind.OVEREXPOSED}),
        ((128, 128, 128), set()),
    ],
)
def test_one_colour_has_no_edge_to_judge(colour, expected):
    image = Image.new("RGB", (90, 90), colour)
    assert np.isnan(measured(image).sharpness)
    assert kinds(image) == expected


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (3, 3)])
def test_the_smallest_photographs_are_measured(size):
    image = Image.new("RGB", size, (90, 180, 30))
    quality = measured(image)
    assert details_of(reduced(image)).shape == (784,)
    assert {found.kind for found in defects(quality)} == {FindingKind.LOW_RESOLUTION}


def test_scores_are_shares_and_rise_with_the_defect():
    little, much = (next(defects(measured(exposed(photograph(), factor)))) for factor in (0.4, 0.1))
    assert 0 < little.score < much.score <= 1
    assert much.detail.startswith("underexposed: 99th percentile of luminance ")


@pytest.mark.parametrize("noise", [0, 1])
def test_what_is_smooth_has_no_edge_to_judge(noise):
    """A dark fruit that fills its photograph: a faint slope, and the noise of a sensor."""
    rng = np.random.default_rng(0)
    slope = np.linspace(20, 60, 100)[:, np.newaxis] + noise * rng.standard_normal((100, 100))
    grey = Image.fromarray(np.clip(slope, 0, 255).astype(np.uint8)).convert("RGB")
    assert np.isnan(measured(grey).sharpness)


@pytest.mark.parametrize("data_set", ["fruits-360", "fruits-3-body", "grocery"])
def test_few_real_photographs_are_called_blurred(data_dir, data_set):
    """The sharp photographs that come nearest to it are dark cherries."""
    paths = sorted((data_dir / data_set).rglob("*.jpg"))[::10]
    images = (Image.open(path).convert("RGB") for path in paths)
    n_blurred = sum(FindingKind.BLURRED in kinds(image) for image in images)
    assert n_blurred <= 0.005 * len(paths) + 1
