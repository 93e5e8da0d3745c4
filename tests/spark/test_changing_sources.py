"""Photographs come, change and go between runs: the tables of an output follow them."""

import dataclasses
import shutil

import pytest

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.image_plan import NoChange
from spark_assets.errors import FruitsError
from spark_assets.images.labels import LabelRule
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import table_files
from tests.conftest import no_spark
from tests.spark.made_tables import spoil
from tests.spark.runs import (
    files_under,
    options_for,
    paths_of,
    put,
    rows_of,
    run_here,
    save,
    touch,
)


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
def out(tmp_path):
    return tmp_path / "out"


def test_what_is_gone_leaves_the_tables_and_the_log_stays(options, images, out):
    run_here(options)
    before, log = rows_of(out, "features"), files_under(out / "runs")
    put(out, "report/index.html", b"it shows what is gone")
    (images / "a/1.png").unlink()
    (images / "b/broken.png").unlink()
    counts = run_here(options).counts
    assert (counts.n_images, counts.n_known, counts.n_deleted) == (0, 4, 2)
    assert rows_of(out, "features").equals(before.take([0, 2, 3, 4]))
    assert paths_of(out, "rejected") == []
    assert log.items() <= files_under(out / "runs").items()
    assert not (out / "report").exists()
    assert featurize(no_spark, options) == NoChange(4)


def test_what_has_come_back_is_there_again(options, images, out):
    run_here(options)
    before = paths_of(out)
    kept = images.parent / "kept.png"
    shutil.move(images / "a/1.png", kept)
    run_here(options)
    shutil.move(kept, images / "a/1.png")
    assert run_here(options).counts.n_images == 1
    assert paths_of(out) == before


def test_each_image_has_one_row_which_is_that_of_its_newest_look(options, images, out):
    first = run_here(options).run_id
    (images / "a/0.png").unlink()
    touch(put(images, "a/1.png", seed=9), later_s=60)
    touch(put(images, "a/2.png", b"nonsense"), later_s=60)
    second = run_here(options)
    rows = [
        (row["path"], table, row["run_id"])
        for table in ("features", "rejected")
        for row in rows_of(out, table).to_pylist()
    ]
    assert sorted(rows) == [
        ("a/1.png", "features", second.run_id),
        ("a/2.png", "rejected", second.run_id),
        ("a/3.png", "features", first),
        ("a/4.png", "features", first),
        ("b/broken.png", "rejected", first),
    ]
    assert (second.counts.n_changed, second.counts.n_deleted) == (2, 1)


def test_known_images_are_compared_without_a_look_at_their_features(options, images, out):
    run_here(options)
    for file in table_files(Output.open(options.output), "features"):
        spoil(file, "features")
    put(images, "a/new.png", seed=9)
    counts = run_here(options).counts
    assert (counts.n_images, counts.n_known) == (1, 6)


@pytest.mark.parametrize("partial", ["limit", "image_list", "keep_missing"])
def test_a_part_of_the_source_takes_nothing_away(options, images, out, tmp_path, partial):
    run_here(options)
    before = paths_of(out)
    (images / "a/1.png").unlink()
    put(images, "a/00.png", seed=9)
    (tmp_path / "list.txt").write_text("a/00.png\n")
    value = {"limit": 2, "image_list": str(tmp_path / "list.txt"), "keep_missing": True}[partial]
    counts = run_here(dataclasses.replace(options, **{partial: value})).counts
    assert (counts.n_images, counts.n_deleted) == (1, 0)
    assert paths_of(out) == sorted([*before, "a/00.png"])


def test_a_source_that_lacks_more_than_half_is_refused_until_it_is_confirmed(options, images, out):
    run_here(options)
    before = files_under(out)
    for index in range(4):
        (images / f"a/{index}.png").unlink()
    with pytest.raises(FruitsError, match=r"4 of the 6 images .* give --confirm-missing"):
        featurize(no_spark, options)
    assert files_under(out) == before
    counts = run_here(dataclasses.replace(options, confirm_missing=True)).counts
    assert counts.n_deleted == 4
    assert paths_of(out) == ["a/4.png"]


def test_a_source_without_any_image_can_be_confirmed_too(options, images, out):
    run_here(options)
    shutil.rmtree(images / "a")
    shutil.rmtree(images / "b")
    with pytest.raises(FruitsError, match="6 of the 6 images"):
        featurize(no_spark, options)
    run_here(dataclasses.replace(options, confirm_missing=True))
    assert paths_of(out) == paths_of(out, "rejected") == []


def test_half_of_the_images_may_go_by_themselves(options, images):
    run_here(options)
    for index in range(3):
        (images / f"a/{index}.png").unlink()
    assert run_here(options).counts.n_deleted == 3


def test_a_renamed_image_is_a_new_one_and_a_gone_one(options, images, out):
    run_here(options)
    shutil.move(images / "a/1.png", images / "a/moved.png")
    counts = run_here(options).counts
    assert (counts.n_images, counts.n_known, counts.n_deleted) == (1, 5, 1)
    assert paths_of(out) == ["a/0.png", "a/2.png", "a/3.png", "a/4.png", "a/moved.png"]


@pytest.mark.parametrize(
    ("labels", "label"), [(LabelRule(2), "apple"), (LabelRule(regex="apple/([a-z]+)"), "gala")]
)
def test_one_rule_names_the_labels_of_every_table(options, images, out, labels, label):
    put(images, "apple/gala 1/1.png", seed=30)
    put(images, "apple/gala 1/broken.png", b"broken")
    asked = dataclasses.replace(options, labels=labels)
    assert run_here(asked).options["label"] == dataclasses.asdict(labels)
    for table in ("features", "rejected"):
        found = {row["path"]: row["label"] for row in rows_of(out, table).to_pylist()}
        assert {found[path] for path in found if path.startswith("apple/")} == {label}
    with pytest.raises(FruitsError, match="an output has one rule of labels; give"):
        featurize(no_spark, options)
