"""The measurements behind an estimate: that they are found, dated and interpolated."""

import re
from pathlib import Path

import pytest

from operations.costs.prices import read_asset
from operations.costs.speed import load_speed

SPEED = load_speed()
SMALL, LARGE = SPEED.photographs
BENCHMARKS = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "benchmarks.md"


def figures():
    content = read_asset("speed.json")
    photographs = [one["images_per_second"] for one in content.pop("photographs")]
    del content["measured"]
    return [*photographs, *content.values()]


def test_every_figure_was_measured_somewhere_or_is_called_an_assumption():
    for figure in figures():
        assert figure["value"] > 0, figure
        assert figure["unit"], figure
        assert re.match(r"assumption: \S|docs/|benchmarks/|measured ", figure["source"]), figure


def test_the_figures_are_dated():
    assert re.fullmatch(r"\d{4}-\d\d", SPEED.measured)


def test_what_is_quoted_from_the_benchmarks_stands_there():
    text = BENCHMARKS.read_text()
    assert "**1.02 x** | A | 246.9 images/s in the middle of 40,000 images" in text
    assert SMALL.images_per_second.value == pytest.approx(246.9 / 2)
    assert LARGE.images_per_second.value == pytest.approx(43.5 / 2)
    assert "listing 200,000 files 4.18 s" in text
    assert f"{1000 * SPEED.network.value:g} the network" in text
    assert SPEED.listing.value == pytest.approx(4.18 / 200_000, rel=0.02)
    assert "PCA fit on 20,000 x 1280 1.62, 1.46, 1.46 s" in text
    assert SPEED.reduction.value == pytest.approx(2 * 1.46 * 2 / 20_000, rel=0.06)


def test_an_image_of_a_measured_size_takes_what_was_measured():
    for one in SPEED.photographs:
        assert 1 / SPEED.vcpu_seconds_per_image(one.megapixels) == pytest.approx(
            one.images_per_second.value
        )
        assert SPEED.megapixels_of(one.megabytes) == pytest.approx(one.megapixels)
        assert SPEED.megabytes_of(one.megapixels) == pytest.approx(one.megabytes)


def test_the_network_takes_time_as_the_area_of_its_input_and_decoding_does_not():
    for megapixels in (0.01, 12.2):
        at_224, at_320, at_384 = (
            SPEED.vcpu_seconds_per_image(megapixels, size_px) for size_px in (224, 320, 384)
        )
        assert at_224 == SPEED.vcpu_seconds_per_image(megapixels)
        assert at_320 - at_224 == pytest.approx(0.0072 * (320**2 - 224**2) / 224**2)
        assert at_384 - at_224 == pytest.approx(0.0072 * (384**2 - 224**2) / 224**2)


def test_larger_images_take_longer_and_the_smallest_take_what_was_measured():
    times = [SPEED.vcpu_seconds_per_image(size) for size in (0.01, 1, 12.2, 24, 100)]
    assert times == sorted(set(times))
    assert SPEED.vcpu_seconds_per_image(0.0001) == SPEED.vcpu_seconds_per_image(0.01)
