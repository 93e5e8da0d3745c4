import dataclasses
import os

import numpy as np
import pytest

from spark_assets.chain import featurize_images
from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.image_plan import NoChange
from spark_assets.chain.start_run import check_locations
from spark_assets.errors import FruitsError
from spark_assets.features import partition
from spark_assets.features.engines import EngineName, build_engine, engine_spec
from spark_assets.features.feature_model import FeatureModel, FeatureModelFacts, load_facts
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.manifest import latest_run, run_ids
from spark_assets.output.output import Output
from spark_assets.runtime import distribute, signals
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import FEATURES, REJECTED
from tests.conftest import no_spark
from tests.spark.runs import (
    files_under,
    options_for,
    paths_of,
    put,
    rows_of,
    run,
    run_here,
    save,
    touch,
)


@pytest.fixture
def options(tmp_path, seeded_model):
    return options_for(tmp_path, save(seeded_model, tmp_path / "model"))


@pytest.fixture
def images(tmp_path):
    return tmp_path / "images"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_a_run_writes_the_two_tables_and_a_manifest_that_adds_up(options, images, out):
    for index in range(30):
        put(images, f"label {index % 3}/{index}.png", seed=index)
    put(images, "label 0/empty.jpg", b"")
    put(images, "label 1/text.jpg", b"some text")
    manifest = run_here(options)
    features, rejected = rows_of(out, "features"), rows_of(out, "rejected")
    assert features.schema.equals(FEATURES)
    assert rejected.schema.equals(REJECTED)
    assert features.num_rows == manifest.counts.n_features == 30
    assert set(features["run_id"].to_pylist()) == {manifest.run_id}
    assert {row["path"]: row["reason"] for row in rejected.to_pylist()} == {
        "label 0/empty.jpg": "empty",
        "label 1/text.jpg": "not_an_image",
    }
    assert manifest.counts.rejected_by_reason == {"empty": 1, "not_an_image": 1}
    assert manifest.bytes_read == sum(file.stat().st_size for file in images.rglob("*.*"))
    assert manifest.to_json()["counts_add_up"] == "32 images = 30 features + 2 rejected"
    assert latest_run(Output.open(options.output)) == manifest
    assert not (out / "_staging").exists()


@pytest.mark.parametrize("engine", list(EngineName))
def test_tasks_and_this_process_give_the_same_rows_with_the_features_of_their_own_images(
    spark, options, images, tmp_path, seeded_model, engine
):
    paths = [put(images, f"a/{index}.png", seed=index) for index in range(5)]
    put(images, "a/broken.png", b"broken")
    options = dataclasses.replace(options, engine=engine)
    in_tasks = dataclasses.replace(options, output=parse_location(str(tmp_path / "tasks")))
    assert run(spark, in_tasks).counts == run_here(options).counts
    for table, others in (("features", ["features", "run_id"]), ("rejected", ["run_id"])):
        one, other = (rows_of(tmp_path / each, table) for each in ("out", "tasks"))
        assert one.drop_columns(others).equals(other.drop_columns(others))
    here, tasks = (rows_of(tmp_path / each, "features") for each in ("out", "tasks"))
    if engine is EngineName.LITERT:
        assert here["features"].equals(tasks["features"])
    local = build_engine(engine_spec(seeded_model, EngineName.LITERT))
    for table in (here, tasks):
        for path, found in zip(paths, table["features"].to_pylist(), strict=True):
            pixels = decode_image(path.read_bytes(), size_px=224, limits=ImageLimits()).pixels
            expected = local(pixels[np.newaxis])[0]
            assert np.abs(found - expected).max() <= 1e-3 * expected.std()


def test_more_images_than_are_for_this_process_are_for_spark(options, images, monkeypatch):
    monkeypatch.setattr(distribute, "_MAX_ROWS_HERE", 2)
    for index in range(2):
        put(images, f"a/{index}.png", seed=index)
    run_here(options)
    for index in range(2, 5):
        put(images, f"a/{index}.png", seed=index)
    with pytest.raises(AssertionError, match="Spark was started"):
        run_here(options)


def test_attempts_that_do_not_count_leave_nothing(spark, options, images, out, monkeypatch):
    """All tasks are tried twice here: a second attempt has files of its own, as by speculation."""
    for index in range(7):
        put(images, f"a/{index}.png", seed=index)
    put(images, "a/broken.png", b"broken")
    write = featurize_images.featurize_on_spark

    def write_twice(*arguments):
        write(*arguments)
        return write(*arguments)

    monkeypatch.setattr(featurize_images, "featurize_on_spark", write_twice)
    monkeypatch.setattr(partition, "_MIN_IMAGES", 3)
    run(spark, options)
    assert paths_of(out, "rejected") == ["a/broken.png"]
    names = sorted(file.name for file in (out / "features").iterdir())
    rows = [rows_of(out, f"features/{name}")["path"].to_pylist() for name in names]
    assert rows == [[f"a/{n}.png" for n in share] for share in ([0, 1], [2, 3, 4], [5, 6])]


def test_an_interruption_ends_a_run_in_this_process_and_nothing_of_it_stays(options, images, out):
    put(images, "a/1.png")
    try:
        signals.interrupt()
        with pytest.raises(FruitsError, match="interrupted; only what is complete is visible"):
            run_here(options)
    finally:
        signals.reset_interruption()
    assert files_under(out) == {}
    run_here(options)


def test_any_name_reaches_the_tables_unchanged(options, images, out):
    names = ["a b/c d.png", "é/ü%20+#'\".png", "line\nbreak/x.png", "_DSC0001.JPG", "no ending"]
    for name in names:
        put(images, name)
    run_here(options)
    assert paths_of(out) == sorted(names)


def test_a_second_run_looks_only_at_what_is_new_or_changed(options, images, out):
    for name in ("a/1.png", "a/2.png", "a/3.png"):
        put(images, name, seed=1)
    put(images, "a/broken.png", b"broken")
    first = run_here(options)
    manifest, before = files_under(out / "runs"), rows_of(out, "features")
    put(images, "a/4.png", seed=4)
    touch(put(images, "a/2.png", seed=2), later_s=60)
    second = run_here(options)
    counts = second.counts
    assert (counts.n_images, counts.n_known, counts.n_changed) == (2, 2 + 1, 1)
    after = rows_of(out, "features")
    assert {row["path"]: row["run_id"] for row in after.to_pylist()} == {
        "a/1.png": first.run_id,
        "a/2.png": second.run_id,
        "a/3.png": first.run_id,
        "a/4.png": second.run_id,
    }
    assert after.take([0, 2]).equals(before.take([0, 2]))
    assert manifest.items() <= files_under(out / "runs").items()


def test_nothing_new_writes_nothing(options, images, out):
    put(images, "a/1.png")
    run_here(options)
    before = files_under(out)
    assert featurize(no_spark, options) == NoChange(1)
    assert files_under(out) == before


def test_an_image_is_in_the_table_of_what_it_has_become(options, images, out):
    put(images, "a/1.png")
    file = put(images, "a/2.png")
    run_here(options)
    file.write_bytes(b"overwritten with nonsense")
    run_here(options)
    assert (paths_of(out), paths_of(out, "rejected")) == (["a/1.png"], ["a/2.png"])
    put(images, "a/2.png")
    touch(file, later_s=60)
    run_here(options)
    assert (paths_of(out), paths_of(out, "rejected")) == (["a/1.png", "a/2.png"], [])


def test_what_was_too_large_is_image_name_again_under_other_limits(options, images):
    put(images, "a/1.png")
    put(images, "a/large.png", b"x" * 5000)
    small = dataclasses.replace(options, limits=ImageLimits(max_bytes=4999))
    run_here(small)
    assert featurize(no_spark, small) == NoChange(2)
    second = run_here(options)
    assert second.counts.rejected_by_reason == {"not_an_image": 1}


def test_limit_looks_at_the_first_images_by_path(options, images, out):
    for index in range(5):
        put(images, f"a/{index}.png")
    run_here(dataclasses.replace(options, limit=2))
    assert paths_of(out) == ["a/0.png", "a/1.png"]


def test_an_image_list_is_image_name_instead_of_the_folder(options, images, out, tmp_path):
    for name in ("a/1.png", "a/2.png", "a/3.png"):
        put(images, name)
    image_list = tmp_path / "list.txt"
    image_list.write_text("a/3.png\na/1.png\na/3.png\na/gone.png\n")
    manifest = run_here(dataclasses.replace(options, image_list=str(image_list)))
    assert paths_of(out) == ["a/1.png", "a/3.png"]
    assert manifest.counts.rejected_by_reason == {"unreadable": 1}


def test_a_list_and_the_folder_agree_on_what_is_known(options, images, tmp_path):
    # Rounded and cut to microseconds, this time gives two instants.
    os.utime(put(images, "a/1.png"), ns=(1_763_900_000_123_456_789, 1_763_900_000_123_456_789))
    run_here(options)
    image_list = tmp_path / "list.txt"
    image_list.write_text("a/1.png\n")
    of_list = dataclasses.replace(options, image_list=str(image_list))
    assert featurize(no_spark, of_list) == NoChange(1)


def test_no_images_is_refused_and_leaves_nothing(options, images, out):
    images.mkdir()
    with pytest.raises(FruitsError, match="there are no images under"):
        featurize(no_spark, options)
    assert files_under(out) == {}


def test_all_rejected_is_a_run_like_any_other(options, images):
    put(images, "a/1.jpg", b"")
    manifest = run_here(options)
    assert (manifest.counts.n_features, manifest.counts.n_rejected) == (0, 1)
    assert manifest.counts.rejected_share == 1.0


def other_network(model: FeatureModel) -> FeatureModel:
    facts: FeatureModelFacts = dataclasses.replace(model.facts, network_sha256="0" * 64)
    return dataclasses.replace(model, facts=facts)


def test_features_of_another_network_are_refused_and_nothing_is_touched(
    options, images, out, tmp_path, seeded_model
):
    put(images, "a/1.png")
    run_here(options)
    put(images, "a/2.png")
    before = files_under(out)
    other = save(other_network(seeded_model), tmp_path / "other")
    request = FeatureModelRequest(model_uri=str(other))
    with pytest.raises(FruitsError, match="features of two networks cannot be compared"):
        featurize(no_spark, dataclasses.replace(options, model=request))
    assert files_under(out) == before


def test_seeded_weights_are_taken_from_the_output_the_second_time(options, images):
    for index in range(4):
        put(images, f"a/{index}.png", seed=index)
    seeded = dataclasses.replace(options, model=FeatureModelRequest("random", 0.35))
    first = run_here(seeded)
    assert "random weights" in str(first.feature_model.warning)
    put(images, "a/new.png", seed=9)
    second = run_here(seeded)
    assert second.feature_model == first.feature_model
    assert second.counts.n_known == 4


def test_images_of_another_folder_are_refused(options, images, tmp_path):
    put(images, "a/1.png")
    run_here(options)
    put(tmp_path / "others", "a/1.png")
    others = dataclasses.replace(options.images, base=str(tmp_path / "others"))
    with pytest.raises(FruitsError, match="choose another output, or start afresh"):
        featurize(no_spark, dataclasses.replace(options, images=others))


def test_an_output_inside_the_images_is_refused(options, images):
    put(images, "a/1.png")
    with pytest.raises(FruitsError, match="lies inside the images"):
        featurize(no_spark, dataclasses.replace(options, output=options.images.child("out")))


@pytest.mark.parametrize("way", ["images/../images/out", "link/out"])
def test_an_output_inside_the_images_is_refused_whatever_way_leads_there(
    way, options, images, tmp_path
):
    put(images, "a/1.png")
    (tmp_path / "link").symlink_to(images / "a")
    output = dataclasses.replace(options.output, base=f"{tmp_path}/{way}")
    with pytest.raises(FruitsError, match="lies inside the images"):
        check_locations(dataclasses.replace(options, output=output))


def test_an_output_that_cannot_be_written_gets_one_sentence(options, images, tmp_path):
    put(images, "a/1.png")
    (tmp_path / "file").touch()
    output = dataclasses.replace(options.output, base=str(tmp_path / "file" / "out"))
    with pytest.raises(FruitsError, match=r"cannot be written: .*; choose a place"):
        featurize(no_spark, dataclasses.replace(options, output=output))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_that_dies_before_its_commit_leaves_nothing(
    options, images, out, monkeypatch, overwrite
):
    put(images, "a/1.png")
    run_here(options)
    before = files_under(out)
    put(images, "a/2.png")

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(featurize_images, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_here(dataclasses.replace(options, overwrite=overwrite))
    assert files_under(out) == before


def test_counts_that_do_not_add_up_fail_the_run(options, images, out, monkeypatch):
    put(images, "a/1.png")
    put(images, "a/2.png")

    featurize_in_threads = featurize_images.featurize_in_threads

    def lose_one(images, *settings):
        return featurize_in_threads(images.slice(1), *settings)

    monkeypatch.setattr(featurize_images, "featurize_in_threads", lose_one)
    with pytest.raises(FruitsError, match="counts do not add up, so nothing of this run is kept"):
        run_here(options)
    assert files_under(out) == {}


def test_overwrite_begins_afresh_and_keeps_what_is_of_no_run(
    options, images, out, seeded_model, tmp_path
):
    put(images, "a/1.png")
    put(images, "a/broken.png", b"broken")
    old = run_here(options)
    kept = {"receipts/j-1.json": b"{}", "erased.json": b'{"salt": "00", "digests": []}'}
    made = ("reduced/a", "pca_model/model.json", "classifier/b", "findings/c", "report/index.html")
    for path, content in (kept | dict.fromkeys(made, b"{}")).items():
        put(out, path, content)
    for file in (images / "a").iterdir():
        file.unlink()
    put(images, "a/2.png")
    other = save(other_network(seeded_model), tmp_path / "other")
    request = FeatureModelRequest(model_uri=str(other))
    new = run_here(dataclasses.replace(options, overwrite=True, model=request))
    assert new.run_id > old.run_id
    output = Output.open(options.output)
    assert run_ids(output) == [new.run_id]
    assert (paths_of(out), paths_of(out, "rejected")) == (["a/2.png"], [])
    assert load_facts(output.folder("feature_model")) == new.feature_model
    names = {path.name for path in out.iterdir()}
    assert names == {"features", "rejected", "feature_model", "runs", "receipts", "erased.json"}
    assert kept.items() <= files_under(out).items()
