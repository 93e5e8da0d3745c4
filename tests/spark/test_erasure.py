"""An erasure leaves nothing of its images, and everything of the others."""

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest

from spark_assets.chain.options import ReduceOptions, ReportOptions
from spark_assets.chain.run import run_chain
from spark_assets.erasure import run as erasing
from spark_assets.erasure.run import EraseOptions, allow_again, erase
from spark_assets.erasure.selection import Asked
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.output.artefacts import RegisteredArtefact, register_artefact
from spark_assets.output.erasing import pending_erasures
from spark_assets.output.history import (
    current_features,
    current_reduced,
    n_current_features,
    visible_runs,
)
from spark_assets.output.layout import OutputLayout
from spark_assets.output.pca_models import load_pca_model, pca_records, projected_runs
from spark_assets.pca.model import project
from spark_assets.storage.locations import parse_location
from tests.spark.runs import current_paths, files_under, options_for, put, save, touch
from tests.spark.traces import Needles, local_files, thumbnails_of, traces


@pytest.fixture
def options(tmp_path, seeded_model):
    return options_for(tmp_path, save(seeded_model, tmp_path / "model"), max_rejected=1.0)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for index in range(8):
        put(folder, f"person {index % 2}/{index}.png", seed=index)
    put(folder, "person 1/broken.png", b"broken")
    return folder


@pytest.fixture
def layout(options):
    return OutputLayout(options.output)


def chain(spark, options) -> None:
    to_reduce = ReduceOptions(options.output, None, None, False, verbose=False)
    to_report = ReportOptions(options.output, 100, verbose=False)
    assert run_chain(lambda: spark.sparkContext, options, to_reduce, to_report) is ExitCode.DONE


def erased(spark, options, *, asked=None, sources=(), **changes) -> ExitCode:
    asking = EraseOptions(
        output=options.output,
        sources=sources,
        asked=asked,
        with_copies=False,
        is_dry_run=False,
        outside_reach=(),
        max_points=100,
        verbose=False,
    )
    return erase(dataclasses.replace(asking, **changes), lambda: spark.sparkContext)


def paths(*names: str) -> Asked:
    return Asked(paths=frozenset(names))


def rows(spark, layout) -> dict[str, np.ndarray]:
    table = current_features(spark, layout).collect()
    return {row.path: np.array(row.features, np.float32) for row in table}


def needles(spark, layout, images, *names: str) -> Needles:
    features = rows(spark, layout)
    page = thumbnails_of((images.parent / "out/report/index.html").read_text())
    digests = [hashlib.sha256((images / name).read_bytes()).hexdigest() for name in names]
    thumbnails = [page[name] for name in names if name in features]
    assert len(thumbnails) == len([name for name in names if name in features])
    return Needles(
        (*names, *digests, *thumbnails),
        tuple(features[name] for name in names if name in features),
    )


def test_nothing_is_left_of_an_erased_image_and_the_others_keep_their_values(
    spark, options, images, layout
):
    chain(spark, options)
    names = ("person 0/2.png", "person 1/3.png", "person 1/broken.png")
    gone = needles(spark, layout, images, *names)
    before = rows(spark, layout)
    everything = (images, images.parent / "out")
    assert traces(local_files(*everything), gone)
    assert erased(spark, options, asked=paths(*names)) is ExitCode.DONE
    assert traces(local_files(*everything), gone) == []
    after = rows(spark, layout)
    assert sorted(after) == sorted(set(before) - set(names))
    assert all(np.array_equal(after[path], before[path]) for path in after)
    runs = visible_runs(layout)
    assert n_current_features(runs) == 6
    assert [run.counts.n_images for run in runs] == [6]
    chain(spark, options)  # what is left is known: nothing has to be looked at
    assert len(visible_runs(layout)) == 1


def test_the_pca_is_fitted_anew_without_them(spark, options, images, layout):
    chain(spark, options)
    (old,) = pca_records(layout, [run.run_id for run in visible_runs(layout)])
    erased(spark, options, asked=paths("person 0/2.png"))
    runs = visible_runs(layout)
    (record,) = pca_records(layout, [run.run_id for run in runs])
    assert record.model_id > old.model_id
    assert (record.n_samples, record.n_reduced) == (7, 7)
    assert record.n_components_asked == old.n_components_asked
    model, _ = load_pca_model(layout.pca_model(record.model_id))
    features = rows(spark, layout)
    np.testing.assert_allclose(model.mean, np.mean(list(features.values()), axis=0), rtol=1e-6)
    reduced = current_reduced(
        spark, layout, record.model_id, projected_runs(layout, record), runs
    ).collect()
    assert len(reduced) == 7
    for row in reduced:
        expected = project(model, features[row.path][np.newaxis])[0]
        np.testing.assert_allclose(row.pca_features, expected, atol=1e-5)
    out = images.parent / "out"
    assert {path.name for path in (out / "pca_model").iterdir()} == {record.model_id}
    assert {path.name for path in (out / "reduced").iterdir()} == {f"model_id={record.model_id}"}


def test_what_an_image_was_before_goes_too(spark, options, images, layout):
    chain(spark, options)
    name = "person 0/2.png"
    was = needles(spark, layout, images, name)
    touch(put(images, name, seed=77), later_s=60)
    chain(spark, options)
    now = needles(spark, layout, images, name)
    erased(spark, options, asked=paths(name))
    left = local_files(images, images.parent / "out")
    assert traces(left, was) == traces(left, now) == []
    first, second = (run.counts for run in visible_runs(layout))
    assert (first.n_images, first.n_features) == (8, 7)
    assert (second.n_images, second.n_changed, second.n_outdated) == (0, 0, 0)
    assert n_current_features(visible_runs(layout)) == len(current_paths(spark, options)) == 7


def test_by_prefix_digest_and_list_the_same_is_found(spark, options, images, layout):
    chain(spark, options)
    digest = hashlib.sha256((images / "person 1/1.png").read_bytes()).hexdigest()
    put(images, "person 0/never looked at.png", seed=50)
    asked = Asked(prefixes=("person 0/",), content_sha256=frozenset({digest}))
    erased(spark, options, asked=asked)
    assert current_paths(spark, options) == [f"person 1/{index}.png" for index in (3, 5, 7)]
    left = sorted(path.name for path in images.rglob("*.png"))
    assert left == ["3.png", "5.png", "7.png", "broken.png"]


def test_copies_are_listed_and_erased_when_asked_for(spark, options, images, layout, capfd):
    shutil.copy(images / "person 0/2.png", images / "person 1/copy.png")
    chain(spark, options)
    erased(spark, options, asked=paths("person 0/2.png"), is_dry_run=True)
    assert "other names: person 1/copy.png; --copies erases them too" in capfd.readouterr().err
    erased(spark, options, asked=paths("person 0/2.png"), with_copies=True)
    assert not (images / "person 1/copy.png").exists()
    assert len(current_paths(spark, options)) == 7


def test_a_dry_run_changes_nothing(spark, options, images):
    chain(spark, options)
    before = files_under(images.parent)
    erased(spark, options, asked=paths("person 0/2.png"), is_dry_run=True)
    assert files_under(images.parent) == before


def test_a_local_copy_goes_with_the_source(spark, options, images, tmp_path):
    chain(spark, options)
    shutil.copytree(images, tmp_path / "backup")
    source = parse_location(str(tmp_path / "backup"))
    erased(spark, options, asked=paths("person 0/2.png"), sources=[source])
    assert not (images / "person 0/2.png").exists()
    assert not (tmp_path / "backup" / "person 0/2.png").exists()
    assert (tmp_path / "backup" / "person 0/4.png").exists()


def test_an_erased_photograph_is_refused_until_it_is_allowed_again(
    spark, options, images, layout, tmp_path
):
    content = (images / "person 0/2.png").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    chain(spark, options)
    erased(spark, options, asked=paths("person 0/2.png"))
    assert digest not in json.dumps((tmp_path / "out/erased/list.json").read_text())
    put(images, "person 0/again.png", content)
    chain(spark, options)
    assert visible_runs(layout)[-1].counts.rejected_by_reason == {"unreadable": 1}
    with pytest.raises(FruitsError, match="is not on the list of erased images"):
        allow_again(options.output, ["0" * 64])
    allow_again(options.output, [digest])
    chain(spark, options)
    assert "person 0/again.png" in current_paths(spark, options)


def test_what_was_not_found_or_not_read_is_told(spark, options, images, capsys):
    """A misspelt path beside right ones would else be taken for erased."""
    chain(spark, options)
    (images / "loop.jpg").symlink_to("loop.jpg")
    asked = Asked(frozenset({"person 0/2.png", "persn/3.png", "loop.jpg"}), ("no one/",))
    assert erased(spark, options, asked=asked) is ExitCode.DONE
    told = capsys.readouterr().err
    assert "not found, so not erased: persn/3.png, no one/" in told
    assert "1 photograph could not be read: removed, and not recognized" in told
    assert not (images / "loop.jpg").is_symlink()


def test_an_unfinished_erasure_hides_no_other_failure(spark, options, images, layout, monkeypatch):
    chain(spark, options)
    monkeypatch.setattr(erasing, "remove_from_sources", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erased(spark, options, asked=paths("person 0/2.png"))
    images.rename(images.with_name("unmounted"))
    with pytest.raises(FruitsError, match="does not exist; give a folder of photographs"):
        erased(spark, options, asked=paths("person 0/2.png"))


def test_a_source_that_is_not_there_is_no_empty_one(spark, options, images, tmp_path):
    chain(spark, options)
    images.rename(tmp_path / "unmounted")
    with pytest.raises(FruitsError, match="does not exist; give a folder of photographs"):
        erased(spark, options, asked=paths("person 0/2.png"))


def test_what_is_nowhere_is_told_and_nothing_is_done(spark, options, images):
    chain(spark, options)
    before = files_under(images.parent)
    with pytest.raises(FruitsError, match="holds an image that was asked for, so nothing was"):
        erased(spark, options, asked=paths("person 0/nobody.png"))
    assert files_under(images.parent) == before


def test_a_photograph_that_cannot_be_removed_leaves_the_erasure_unfinished(
    spark, options, images, layout, monkeypatch
):
    chain(spark, options)
    real = erasing.remove_photographs
    monkeypatch.setattr(erasing, "remove_photographs", lambda erasure: [])
    with pytest.raises(FruitsError, match=r"is not complete.* finish it with: fruits erase"):
        erased(spark, options, asked=paths("person 0/2.png"))
    assert not (images.parent / "out/erasures").exists()
    assert "person 0/2.png" not in current_paths(spark, options)
    monkeypatch.setattr(erasing, "remove_photographs", real)
    assert erased(spark, options) is ExitCode.DONE
    assert not pending_erasures(layout)
    assert len(list((images.parent / "out/erasures").iterdir())) == 1


def test_what_was_made_from_the_images_goes_and_the_rest_stays(spark, options, images, layout):
    chain(spark, options)
    run_ids = [run.run_id for run in visible_runs(layout)]
    for name, made_from in (("classifier", run_ids), ("other", ["another run"])):
        register_artefact(layout, RegisteredArtefact(name, f"made/{name}", made_from))
        put(images.parent / "out", f"made/{name}/model.bin", b"anything")
    erased(spark, options, asked=paths("person 0/2.png"))
    assert not (images.parent / "out/made/classifier").exists()
    assert (images.parent / "out/made/other/model.bin").exists()
    assert [path.name for path in (images.parent / "out/artefacts").iterdir()] == ["other.json"]


def test_the_certificate_tells_what_and_identifies_nobody(spark, options, images, layout):
    chain(spark, options)
    gone = needles(spark, layout, images, "person 0/2.png")
    erased(spark, options, asked=paths("person 0/2.png"))
    (file,) = (images.parent / "out/erasures").iterdir()
    certificate = json.loads(file.read_text())
    assert certificate["n_images"] == 1
    assert certificate["held"] == {
        "versions of photographs": 1,
        "rows of features": 1,
        "rows of rejected images": 0,
    }
    assert len(certificate["salted_digests"]) == 1
    assert len(certificate["outside_reach"]) >= 2
    assert traces({"certificate": file.read_bytes()}, gone) == []


def test_an_erasure_of_all_images_leaves_an_output_without_any(spark, options, images, layout):
    chain(spark, options)
    erased(spark, options, asked=Asked(prefixes=("person",)))
    assert current_paths(spark, options) == []
    assert pca_records(layout, [run.run_id for run in visible_runs(layout)]) == []
    put(images, "person 3/new.png", seed=30)
    put(images, "person 3/other.png", seed=31)
    chain(spark, options)
    assert len(current_paths(spark, options)) == 2
