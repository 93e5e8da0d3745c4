"""Photographs come, change and go between runs: what an output says is current follows them."""

import dataclasses
import shutil

import pytest

from spark_assets.chain.featurize import NothingNew
from spark_assets.chain.run import featurize
from spark_assets.errors import FruitsError
from spark_assets.images.naming import LabelRule
from spark_assets.output.history import (
    current_features,
    current_rejected,
    current_state,
    n_current_features,
    visible_runs,
)
from spark_assets.output.layout import OutputLayout
from tests.spark.runs import current_paths, files_under, options_for, put, run, save, touch


@pytest.fixture
def options(tmp_path, seeded_model):
    return options_for(tmp_path, save(seeded_model, tmp_path / "model"))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for index in range(5):
        put(folder, f"a/{index}.png", seed=index)
    put(folder, "b/broken.png", b"broken")
    return folder


@pytest.fixture
def layout(options):
    return OutputLayout(options.output)


def test_what_is_gone_is_no_longer_current(spark, options, images, layout):
    run(spark, options)
    before = files_under(images.parent / "out")
    (images / "a/1.png").unlink()
    (images / "b/broken.png").unlink()
    counts = run(spark, options).counts
    assert (counts.n_images, counts.n_known, counts.n_gone, counts.n_outdated) == (0, 4, 2, 1)
    assert current_paths(spark, options) == ["a/0.png", "a/2.png", "a/3.png", "a/4.png"]
    assert current_rejected(spark, layout).count() == 0
    assert n_current_features(visible_runs(layout)) == 4
    after = files_under(images.parent / "out")
    assert {path: after[path] for path in before} == before
    assert featurize(lambda: spark.sparkContext, options) == NothingNew(4)


def test_what_has_come_back_is_current_again(spark, options, images):
    run(spark, options)
    kept = images.parent / "kept.png"
    shutil.move(images / "a/1.png", kept)
    run(spark, options)
    shutil.move(kept, images / "a/1.png")
    assert run(spark, options).counts.n_images == 1
    assert "a/1.png" in current_paths(spark, options)


def test_the_state_is_the_newest_outcome_of_each_image(spark, options, images, layout):
    first = run(spark, options)
    (images / "a/0.png").unlink()
    touch(put(images, "a/1.png", seed=9), later_s=60)
    touch(put(images, "a/2.png", b"nonsense"), later_s=60)
    second = run(spark, options)
    state = {row.path: (row.outcome, row.run_id) for row in current_state(spark, layout).collect()}
    assert state == {
        "a/1.png": ("features", second.run_id),
        "a/2.png": ("rejected", second.run_id),
        "a/3.png": ("features", first.run_id),
        "a/4.png": ("features", first.run_id),
        "b/broken.png": ("rejected", first.run_id),
    }
    assert (second.counts.n_changed, second.counts.n_outdated) == (2, 3)


def test_known_images_are_compared_without_a_look_at_their_features(spark, options, images, layout):
    first = run(spark, options)
    shutil.rmtree(layout.features(first.run_id).base)
    shutil.rmtree(layout.rejected(first.run_id).base)
    put(images, "a/new.png", seed=9)
    counts = run(spark, options).counts
    assert (counts.n_images, counts.n_known) == (1, 6)


@pytest.mark.parametrize("partial", ["limit", "image_list", "keep_missing"])
def test_a_part_of_the_source_takes_nothing_away(spark, options, images, tmp_path, partial):
    run(spark, options)
    before = current_paths(spark, options)
    (images / "a/1.png").unlink()
    put(images, "a/00.png", seed=9)
    (tmp_path / "list.txt").write_text("a/00.png\n")
    value = {"limit": 2, "image_list": str(tmp_path / "list.txt"), "keep_missing": True}[partial]
    counts = run(spark, dataclasses.replace(options, **{partial: value})).counts
    assert (counts.n_images, counts.n_gone) == (1, 0)
    assert current_paths(spark, options) == sorted([*before, "a/00.png"])


def test_a_source_that_lacks_more_than_half_is_refused_until_it_is_confirmed(
    spark, options, images
):
    run(spark, options)
    before = files_under(images.parent / "out")
    for index in range(4):
        (images / f"a/{index}.png").unlink()
    with pytest.raises(FruitsError, match=r"4 of the 6 images .* give --confirm-missing"):
        featurize(lambda: spark.sparkContext, options)
    assert files_under(images.parent / "out") == before
    counts = run(spark, dataclasses.replace(options, confirm_missing=True)).counts
    assert counts.n_gone == 4
    assert current_paths(spark, options) == ["a/4.png"]


def test_a_source_without_any_image_can_be_confirmed_too(spark, options, images):
    run(spark, options)
    shutil.rmtree(images / "a")
    shutil.rmtree(images / "b")
    with pytest.raises(FruitsError, match="6 of the 6 images"):
        featurize(lambda: spark.sparkContext, options)
    run(spark, dataclasses.replace(options, confirm_missing=True))
    assert current_paths(spark, options) == []


def test_half_of_the_images_may_go_by_themselves(spark, options, images):
    run(spark, options)
    for index in range(3):
        (images / f"a/{index}.png").unlink()
    assert run(spark, options).counts.n_gone == 3


def test_a_renamed_image_is_a_new_one_and_a_gone_one(spark, options, images):
    run(spark, options)
    shutil.move(images / "a/1.png", images / "a/moved.png")
    counts = run(spark, options).counts
    assert (counts.n_images, counts.n_known, counts.n_gone) == (1, 5, 1)
    assert current_paths(spark, options) == [
        "a/0.png", "a/2.png", "a/3.png", "a/4.png", "a/moved.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "label"), [(LabelRule(2), "apple"), (LabelRule(regex="apple/([a-z]+)"), "gala")]
)
def test_one_rule_names_the_labels_of_every_table(spark, options, images, layout, labels, label):
    put(images, "apple/gala 1/1.png", seed=30)
    put(images, "apple/gala 1/broken.png", b"broken")
    asked = dataclasses.replace(options, labels=labels)
    assert run(spark, asked).options["label"] == dataclasses.asdict(labels)
    for rows in (current_features(spark, layout), current_rejected(spark, layout)):
        found = {row.path: row.label for row in rows.collect()}
        assert {found[path] for path in found if path.startswith("apple/")} == {label}
    with pytest.raises(FruitsError, match="labels of two rules do not belong together; give"):
        featurize(lambda: spark.sparkContext, options)
