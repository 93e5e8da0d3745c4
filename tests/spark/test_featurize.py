import dataclasses
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from spark_assets.chain import featurize as featurizing
from spark_assets.chain.featurize import FeaturizedRun, NothingNew
from spark_assets.chain.places import check_places
from spark_assets.chain.run import featurize
from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName, build_engine, engine_spec
from spark_assets.features.feature_model import FeatureModel, FeatureModelFacts
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits, decode_image
from spark_assets.output.commit import remove_replaced
from spark_assets.output.history import current_features, current_rejected, visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.runtime.spark_on_demand import SparkOnDemand
from spark_assets.storage.schemas import FEATURES, REJECTED, spark_schema
from tests.spark.runs import current_paths, files_under, options_for, put, run, save, touch


@pytest.fixture
def options(tmp_path, seeded_model):
    return options_for(tmp_path, save(seeded_model, tmp_path / "model"))


@pytest.fixture
def images(tmp_path):
    return tmp_path / "images"


def tables(spark, options, run_id):
    layout = OutputLayout(options.output)
    features = spark.read.parquet(layout.features(run_id).spark_path())
    rejected = spark.read.parquet(layout.rejected(run_id).spark_path())
    return features, rejected


def test_a_run_writes_the_two_tables_and_a_manifest_that_adds_up(spark, options, images):
    for index in range(30):
        put(images, f"label {index % 3}/{index}.png", seed=index)
    put(images, "label 0/empty.jpg", b"")
    put(images, "label 1/text.jpg", b"some text")
    manifest = run(spark, options)
    features, rejected = tables(spark, options, manifest.run_id)
    assert features.schema.simpleString() == spark_schema(FEATURES).simpleString()
    assert rejected.schema.simpleString() == spark_schema(REJECTED).simpleString()
    assert features.count() == manifest.counts.n_features == 30
    assert {row.path: row.reason for row in rejected.collect()} == {
        "label 0/empty.jpg": "empty",
        "label 1/text.jpg": "not_an_image",
    }
    assert manifest.counts.rejected_by_reason == {"empty": 1, "not_an_image": 1}
    assert manifest.bytes_read == sum(file.stat().st_size for file in images.rglob("*.*"))
    assert manifest.to_json()["counts_add_up"] == "32 images = 30 features + 2 rejected"
    assert visible_runs(OutputLayout(options.output)) == [manifest]
    assert not (images.parent / "out" / "_staging").exists()


def test_spark_is_asked_for_on_demand(spark, options, images, monkeypatch):
    put(images, "a/1.png")
    monkeypatch.setattr(SparkOnDemand, "release", lambda self: None)  # others need Spark yet
    result = featurize(SparkOnDemand(lambda: spark.sparkContext), options)
    assert result.manifest.counts.n_features == 1


def test_attempts_that_do_not_count_leave_nothing(spark, options, images, monkeypatch):
    """All tasks are tried twice here: a second attempt has files of its own, as by speculation."""
    for index in range(7):
        put(images, f"a/{index}.png", seed=index)
    put(images, "a/broken.png", b"broken")
    write = featurizing.featurize_on_spark

    def write_twice(*arguments, **options):
        write(*arguments, **options)
        return write(*arguments, **options)

    monkeypatch.setattr(featurizing, "featurize_on_spark", write_twice)
    monkeypatch.setattr(featurizing, "n_tasks_for", lambda *_: 3)
    manifest = run(spark, options)
    features, rejected = tables(spark, options, manifest.run_id)
    assert (features.count(), rejected.count()) == (7, 1)
    files = [*Path(OutputLayout(options.output).features(manifest.run_id).base).iterdir()]
    rows = [pyarrow.parquet.read_table(file)["path"].to_pylist() for file in sorted(files)]
    assert [len(paths) for paths in rows] == [2, 3, 2]
    assert [path for paths in rows for path in paths] == [f"a/{index}.png" for index in range(7)]


@pytest.mark.parametrize("engine", list(EngineName))
def test_the_rows_hold_the_features_of_their_own_images(
    spark, options, images, seeded_model, engine
):
    paths = [put(images, f"a/{index}.png", seed=index) for index in range(5)]
    manifest = run(spark, dataclasses.replace(options, engine=engine))
    features, _ = tables(spark, options, manifest.run_id)
    found = {row.path: np.array(row.features) for row in features.collect()}
    local = build_engine(engine_spec(seeded_model, EngineName.LITERT))
    for path in paths:
        pixels = decode_image(path.read_bytes(), size_px=224, limits=ImageLimits()).pixels
        expected = local(pixels[np.newaxis])[0]
        assert np.abs(found[f"a/{path.name}"] - expected).max() <= 1e-3 * expected.std()


def test_any_name_reaches_the_tables_unchanged(spark, options, images):
    names = ["a b/c d.png", "é/ü%20+#'\".png", "line\nbreak/x.png", "_DSC0001.JPG", "no ending"]
    for name in names:
        put(images, name)
    run(spark, options)
    assert current_paths(spark, options) == sorted(names)


def test_a_second_run_looks_only_at_what_is_new_or_changed(spark, options, images):
    for name in ("a/1.png", "a/2.png", "a/3.png"):
        put(images, name, seed=1)
    put(images, "a/broken.png", b"broken")
    first = run(spark, options)
    before = files_under(images.parent / "out")
    put(images, "a/4.png", seed=4)
    touch(put(images, "a/2.png", seed=2), later_s=60)
    second = run(spark, options)
    assert (second.counts.n_images, second.counts.n_known) == (2, 3)
    after = files_under(images.parent / "out")
    assert {path: after[path] for path in before} == before
    current = current_features(spark, OutputLayout(options.output))
    by_path = {row.path: row.run_id for row in current.collect()}
    assert by_path == {
        "a/1.png": first.run_id,
        "a/2.png": second.run_id,
        "a/3.png": first.run_id,
        "a/4.png": second.run_id,
    }


def test_nothing_new_writes_nothing(spark, options, images):
    put(images, "a/1.png")
    run(spark, options)
    before = files_under(images.parent / "out")
    assert featurize(lambda: spark.sparkContext, options) == NothingNew(1)
    assert files_under(images.parent / "out") == before


def test_an_image_that_has_become_unusable_has_no_current_features(spark, options, images):
    put(images, "a/1.png")
    file = put(images, "a/2.png")
    run(spark, options)
    file.write_bytes(b"overwritten with nonsense")
    touch(file, later_s=60)
    run(spark, options)
    assert current_paths(spark, options) == ["a/1.png"]
    rejected = current_rejected(spark, OutputLayout(options.output)).collect()
    assert [row.path for row in rejected] == ["a/2.png"]


def test_an_image_that_was_mended_is_no_longer_rejected(spark, options, images):
    put(images, "a/1.png")
    file = put(images, "a/2.png", b"nonsense")
    run(spark, options)
    put(images, "a/2.png")
    touch(file, later_s=60)
    run(spark, options)
    assert current_paths(spark, options) == ["a/1.png", "a/2.png"]
    assert current_rejected(spark, OutputLayout(options.output)).count() == 0


def test_what_was_too_large_is_looked_at_again_under_other_limits(spark, options, images):
    put(images, "a/1.png")
    put(images, "a/large.png", b"x" * 5000)
    small = dataclasses.replace(options, limits=ImageLimits(max_bytes=4999))
    run(spark, small)
    assert featurize(lambda: spark.sparkContext, small) == NothingNew(2)
    second = run(spark, options)
    assert second.counts.rejected_by_reason == {"not_an_image": 1}


def test_limit_looks_at_the_first_images_by_path(spark, options, images):
    for index in range(5):
        put(images, f"a/{index}.png")
    run(spark, dataclasses.replace(options, limit=2))
    assert current_paths(spark, options) == ["a/0.png", "a/1.png"]


def test_an_image_list_is_looked_at_instead_of_the_folder(spark, options, images, tmp_path):
    for name in ("a/1.png", "a/2.png", "a/3.png"):
        put(images, name)
    image_list = tmp_path / "list.txt"
    image_list.write_text("a/3.png\na/1.png\na/3.png\na/gone.png\n")
    manifest = run(spark, dataclasses.replace(options, image_list=str(image_list)))
    assert current_paths(spark, options) == ["a/1.png", "a/3.png"]
    assert manifest.counts.rejected_by_reason == {"unreadable": 1}


def test_a_list_and_the_folder_agree_on_what_is_known(spark, options, images, tmp_path):
    # Rounded and cut to microseconds, this time gives two instants.
    os.utime(put(images, "a/1.png"), ns=(1_763_900_000_123_456_789, 1_763_900_000_123_456_789))
    run(spark, options)
    image_list = tmp_path / "list.txt"
    image_list.write_text("a/1.png\n")
    assert featurize(
        lambda: spark.sparkContext, dataclasses.replace(options, image_list=str(image_list))
    ) == NothingNew(1)


def test_no_images_is_refused_and_leaves_nothing(spark, options, images):
    images.mkdir()
    with pytest.raises(FruitsError, match="there are no images under"):
        featurize(lambda: spark.sparkContext, options)
    assert files_under(images.parent / "out") == {}


def test_all_rejected_is_a_run_like_any_other(spark, options, images):
    put(images, "a/1.jpg", b"")
    manifest = run(spark, options)
    assert (manifest.counts.n_features, manifest.counts.n_rejected) == (0, 1)
    assert manifest.counts.rejected_share == 1.0


def other_network(model: FeatureModel) -> FeatureModel:
    facts: FeatureModelFacts = dataclasses.replace(model.facts, network_sha256="0" * 64)
    return dataclasses.replace(model, facts=facts)


def test_features_of_another_network_are_refused_and_nothing_is_touched(
    spark, options, images, tmp_path, seeded_model
):
    put(images, "a/1.png")
    run(spark, options)
    put(images, "a/2.png")
    before = files_under(tmp_path / "out")
    other = save(other_network(seeded_model), tmp_path / "other")
    request = FeatureModelRequest(model_uri=str(other))
    with pytest.raises(FruitsError, match="features of two networks cannot be compared"):
        featurize(lambda: spark.sparkContext, dataclasses.replace(options, model=request))
    assert files_under(tmp_path / "out") == before


def test_seeded_weights_are_taken_from_the_output_the_second_time(spark, options, images):
    for index in range(4):
        put(images, f"a/{index}.png", seed=index)
    seeded = dataclasses.replace(options, model=FeatureModelRequest("random", 0.35))
    first = run(spark, seeded)
    assert "random numbers" in str(first.feature_model.warning)
    put(images, "a/new.png", seed=9)
    second = run(spark, seeded)
    assert second.feature_model == first.feature_model
    assert second.counts.n_known == 4


def test_images_of_another_folder_are_refused(spark, options, images, tmp_path):
    put(images, "a/1.png")
    run(spark, options)
    put(tmp_path / "others", "a/1.png")
    others = dataclasses.replace(options.images, base=str(tmp_path / "others"))
    with pytest.raises(FruitsError, match="choose another output, or start afresh"):
        featurize(lambda: spark.sparkContext, dataclasses.replace(options, images=others))


def test_an_output_inside_the_images_is_refused(spark, options, images):
    put(images, "a/1.png")
    with pytest.raises(FruitsError, match="lies inside the images"):
        featurize(
            lambda: spark.sparkContext,
            dataclasses.replace(options, output=options.images.child("out")),
        )


@pytest.mark.parametrize("way", ["images/../images/out", "link/out"])
def test_an_output_inside_the_images_is_refused_whatever_way_leads_there(
    way, options, images, tmp_path
):
    put(images, "a/1.png")
    (tmp_path / "link").symlink_to(images / "a")
    output = dataclasses.replace(options.output, base=f"{tmp_path}/{way}")
    with pytest.raises(FruitsError, match="lies inside the images"):
        check_places(dataclasses.replace(options, output=output))


def test_an_output_that_cannot_be_written_gets_one_sentence(spark, options, images, tmp_path):
    put(images, "a/1.png")
    (tmp_path / "file").touch()
    output = dataclasses.replace(options.output, base=str(tmp_path / "file" / "out"))
    with pytest.raises(FruitsError, match=r"cannot be written: .*; choose a place"):
        featurize(lambda: spark.sparkContext, dataclasses.replace(options, output=output))


def test_a_run_that_dies_leaves_nothing(spark, options, images, tmp_path, monkeypatch):
    put(images, "a/1.png")
    run(spark, options)
    before = files_under(tmp_path / "out")
    put(images, "a/2.png")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(featurizing, "_count", interrupted)
    with pytest.raises(KeyboardInterrupt):
        featurize(lambda: spark.sparkContext, options)
    assert files_under(tmp_path / "out") == before


def test_a_run_that_was_killed_is_invisible_to_readers(spark, options, images, tmp_path):
    put(images, "a/1.png")
    manifest = run(spark, options)
    killed = tmp_path / "out" / "features" / "run_id=29990101T000000Z-ffffff"
    killed.mkdir()
    (killed / "part-0.parquet").write_bytes(b"half a file")
    assert visible_runs(OutputLayout(options.output)) == [manifest]
    assert current_paths(spark, options) == ["a/1.png"]


def test_counts_that_do_not_add_up_fail_the_run(spark, options, images, tmp_path, monkeypatch):
    put(images, "a/1.png")
    put(images, "a/2.png")

    featurize_on_spark = featurizing.featurize_on_spark

    def lose_one(context, images, *settings, **numbers):
        return featurize_on_spark(context, images.slice(1), *settings, **numbers)

    monkeypatch.setattr(featurizing, "featurize_on_spark", lose_one)
    with pytest.raises(FruitsError, match="they do not add up, so nothing of this run is kept"):
        featurize(lambda: spark.sparkContext, options)
    assert files_under(tmp_path / "out") == {}


def test_overwrite_hides_what_was_there_only_once_it_is_complete(
    spark, options, images, seeded_model, tmp_path
):
    put(images, "a/1.png")
    old = run(spark, options)
    (images / "a" / "1.png").unlink()
    put(images, "a/2.png")
    other = save(other_network(seeded_model), tmp_path / "other")
    afresh = dataclasses.replace(
        options, overwrite=True, model=FeatureModelRequest(model_uri=str(other))
    )
    result = featurize(lambda: spark.sparkContext, afresh)
    assert isinstance(result, FeaturizedRun)
    layout = OutputLayout(options.output)
    assert visible_runs(layout) == [old]
    new = run(spark, afresh)
    assert visible_runs(layout) == [new]
    assert current_paths(spark, options) == ["a/2.png"]
    remove_replaced(layout)
    assert visible_runs(layout) == [new]
    for table in ("features", "rejected", "changes"):
        folders = {path.name for path in (tmp_path / "out" / table).iterdir()}
        assert folders == {f"run_id={new.run_id}"}
    networks = {path.name for path in (tmp_path / "out" / "feature_model").iterdir()}
    assert networks == {"0" * 16}
