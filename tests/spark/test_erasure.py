"""An erasure leaves nothing of its images, and everything of the others."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from spark_assets.erasure import run_erasure as erasing
from spark_assets.erasure.erasure_request import ErasureRequest
from spark_assets.erasure.run_erasure import EraseOptions, conclude_all, erase
from spark_assets.errors import ExitCode
from spark_assets.output.erasure_journal import pending_erasures
from spark_assets.output.evaluation_record import fitted_on
from spark_assets.output.findings_table import current_findings
from spark_assets.output.output import PCA_MODEL, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.output.pca_model import load_pca_model, pca_record
from spark_assets.pca.model import project
from spark_assets.storage import schemas
from tests.spark.commands import Place
from tests.spark.runs import files_under, put, save, touch
from tests.spark.stopping import Stopped, stopping
from tests.spark.traces import local_files, needles_of, traces

NAME, BROKEN = "person 0/2.png", "person 1/broken.png"
N_PHOTOGRAPHS = 8
# At which file operations an erasure of a full output dies; of a small one it is at each of them.
STEP = 9


@pytest.fixture(scope="module")
def made(tmp_path_factory, seeded_model) -> Path:
    """Return copies of one folder: ``run``, and ``full`` with a classifier and findings too.

    The folder itself is ``work``, for an output knows its photographs by their absolute path.
    """
    top = tmp_path_factory.mktemp("erasure")
    place = Place(top / "work")
    save(seeded_model, place.folder / "model")
    for index in range(N_PHOTOGRAPHS):
        put(place.images, f"person {index % 2}/{index}.png", seed=index)
    put(place.images, BROKEN, b"broken")
    place.run()
    shutil.copytree(place.folder, top / "run")
    assert place.give("evaluate", "--folds", "2") == 0
    assert place.give("audit") == 0
    shutil.copytree(place.folder, top / "full")
    return top


def restored(made: Path, name: str) -> Place:
    shutil.rmtree(made / "work", ignore_errors=True)
    shutil.copytree(made / name, made / "work")
    return Place(made / "work")


@pytest.fixture
def place(made):
    return restored(made, "run")


@pytest.fixture
def full(made):
    """Return an output with all that can be in one."""
    return restored(made, "full")


def everything(place: Place) -> dict[str, bytes]:
    return local_files(place.images, place.out)


def features(place: Place) -> dict[str, np.ndarray]:
    return {row["path"]: np.array(row["features"]) for row in place.rows().to_pylist()}


def asking(place: Place, *paths: str) -> EraseOptions:
    return EraseOptions(
        output=place.output.location,
        sources=(),
        request=ErasureRequest(paths=frozenset(paths)),
        with_copies=False,
        is_dry_run=False,
        outside_reach=(),
        max_points=100,
    )


def test_nothing_is_left_of_an_erased_image_and_the_others_keep_their_values(full, either_way):
    names = (NAME, "person 1/3.png", BROKEN)
    gone = needles_of(full.out, full.images, *names)
    found = traces(everything(full), gone)
    for folder in ("features", "rejected", "reduced", "classifier", "findings", "report"):
        assert any(f"{full.out}/{folder}/" in trace for trace in found)
    before = features(full)
    assert erase(asking(full, *names), either_way) is ExitCode.DONE
    assert traces(everything(full), gone) == []
    after = features(full)
    assert sorted(after) == sorted(set(before) - set(names))
    assert all(np.array_equal(after[path], before[path]) for path in after)
    assert current_findings(full.output)
    page = (full.out / "report/index.html").read_text()
    assert all(path in page for path in after)
    assert not (full.out / "classifier").exists()


def test_what_is_left_is_known_to_the_next_run(place, capsys):
    assert place.give("erase", "--path", NAME) == 0
    place.run()
    assert "nothing to do: 8 images, all unchanged" in capsys.readouterr().err


def test_the_pca_is_fitted_anew_without_them(place):
    old = pca_record(place.output)
    assert place.give("erase", "--path", NAME) == 0
    model, record = load_pca_model(place.output.folder(PCA_MODEL))
    assert record.model_id != old.model_id
    assert record.n_samples == N_PHOTOGRAPHS - 1
    assert record.n_components_asked == old.n_components_asked
    left = features(place)
    np.testing.assert_allclose(model.mean, np.mean(list(left.values()), axis=0), rtol=1e-6)
    assert place.paths("reduced") == sorted(left)
    for row in place.rows("reduced").to_pylist():
        expected = project(model, left[row["path"]][np.newaxis])[0]
        np.testing.assert_allclose(row["pca_features"], expected, atol=1e-5)


def test_so_is_a_pca_that_was_fitted_on_what_an_image_was_before(place):
    touch(put(place.images, NAME, seed=77), later_s=60)
    place.run()
    assert pca_record(place.output).n_samples == N_PHOTOGRAPHS
    assert place.give("erase", "--path", NAME) == 0
    assert pca_record(place.output).n_samples == N_PHOTOGRAPHS - 1


def test_a_pca_and_a_classifier_of_others_stay(full):
    record, made_from = pca_record(full.output), fitted_on(full.output)
    put(full.images, "person 2/later.png", seed=50)
    full.run()
    gone = needles_of(full.out, full.images, "person 2/later.png", BROKEN)
    assert full.give("erase", "--path", BROKEN, "--prefix", "person 2/") == 0
    assert traces(everything(full), gone) == []
    assert "person 2" not in (full.out / "report/index.html").read_text()
    assert (pca_record(full.output), fitted_on(full.output)) == (record, made_from)


def test_by_prefix_digest_and_list_the_same_is_found(place, tmp_path):
    digest = hashlib.sha256((place.images / "person 1/1.png").read_bytes()).hexdigest()
    put(place.images, "person 0/never looked at.png", seed=50)
    listed = put(tmp_path, "list.txt", b"person 1/3.png\r\n")
    assert place.give(
        "erase", "--prefix", "person 0/", "--sha256", digest, "--path-list", str(listed)
    ) == 0  # fmt: skip
    assert place.paths() == ["person 1/5.png", "person 1/7.png"]
    left = sorted(path.name for path in place.images.rglob("*.png"))
    assert left == ["5.png", "7.png", "broken.png"]


def test_copies_are_listed_and_erased_when_asked_for(place, capsys):
    copy = place.images / "person 1/copy.png"
    shutil.copy(place.images / NAME, copy)
    place.run()
    assert place.give("erase", "--path", NAME, "--dry-run") == 0
    assert "other names: person 1/copy.png; to erase, add --copies" in capsys.readouterr().err
    assert place.give("erase", "--path", NAME, "--copies") == 0
    assert not copy.exists()
    assert len(place.paths()) == N_PHOTOGRAPHS - 1


def test_a_dry_run_changes_nothing(place):
    before = files_under(place.folder)
    assert place.give("erase", "--path", NAME, "--dry-run") == 0
    assert files_under(place.folder) == before


def test_a_local_copy_goes_with_the_source(place):
    backup = place.folder / "backup"
    shutil.copytree(place.images, backup)
    assert place.give("erase", "--path", NAME, "--images", str(backup)) == 0
    assert not (place.images / NAME).exists()
    assert not (backup / NAME).exists()
    assert (backup / "person 0/4.png").exists()


def test_an_erased_photograph_is_refused_until_it_is_allowed_again(place, capsys):
    content = (place.images / NAME).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert place.give("erase", "--path", NAME) == 0
    assert digest not in (place.out / "erased.json").read_text()
    put(place.images, "person 0/again.png", content)
    place.run()
    assert place.paths("rejected") == ["person 0/again.png", BROKEN]
    assert "it was erased, and is refused" in place.rows("rejected")["detail"][0].as_py()
    assert place.give("erase", "--allow-again", "--sha256", "0" * 64) == 1
    assert "is not on the list of erased images" in capsys.readouterr().err
    assert place.give("erase", "--allow-again", "--sha256", digest) == 0
    place.run()
    assert "person 0/again.png" in place.paths()


def test_what_was_not_found_or_not_read_is_told(place, capsys):
    """A misspelt path beside right ones would else be taken for erased."""
    (place.images / "loop.jpg").symlink_to("loop.jpg")
    paths = [word for path in (NAME, "persn/3.png", "loop.jpg") for word in ("--path", path)]
    assert place.give("erase", *paths, "--prefix", "no one/") == 0
    told = capsys.readouterr().err
    assert "not found, so not erased: persn/3.png, no one/" in told
    assert "1 photograph could not be read: removed, but not rejected" in told
    assert not (place.images / "loop.jpg").is_symlink()


def test_what_is_nowhere_is_told_and_nothing_is_done(place, capsys):
    before = files_under(place.folder)
    assert place.give("erase", "--path", "person 0/nobody.png") == 1
    assert "holds a requested image, so nothing was" in capsys.readouterr().err
    assert files_under(place.folder) == before


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_source_that_is_not_there_is_no_empty_one(place, monkeypatch, capsys, is_begun):
    """An unfinished erasure hides no other failure."""
    if is_begun:
        with monkeypatch.context() as patch:
            patch.setattr(erasing, "remove_from_sources", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                place.give("erase", "--path", NAME)
    place.images.rename(place.folder / "unmounted")
    assert place.give("erase", "--path", NAME) == 1
    assert "does not exist; give a folder of photographs" in capsys.readouterr().err


def test_a_photograph_that_cannot_be_removed_leaves_the_erasure_unfinished(
    place, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "remove_photographs", lambda _: [])
        assert place.give("erase", "--path", NAME) == 1
        told = capsys.readouterr().err
        assert "is not complete" in told
        assert f"finish it with: fruits erase --output {place.out} --finish" in told
        assert not (place.out / "erasures").exists()
        assert NAME not in place.paths()
    place.run()  # which refuses the photograph that is still there
    assert place.paths("rejected") == [NAME, BROKEN]
    assert "is not finished; finish it with" in capsys.readouterr().err
    assert place.give("erase", "--finish") == 0
    assert place.paths("rejected") == [BROKEN]
    assert not pending_erasures(place.output)
    assert len(list((place.out / "erasures").iterdir())) == 1
    assert place.give("erase", "--finish") == 1
    assert "no erasure is unfinished" in capsys.readouterr().err


def test_what_a_run_notes_of_an_image_that_is_being_erased_goes_with_the_tables(place, monkeypatch):
    """The cluster does these, and another machine the photographs."""
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "remove_photographs", lambda _: [])
        place.give("erase", "--path", NAME)
    place.run()
    removals = erasing.remove_from_sources(place.output)
    assert place.give("erase", "--rewrite-only") == 0
    options = asking(place, NAME)
    assert conclude_all(options, place.output, removals) is ExitCode.DONE


def test_the_certificate_tells_what_and_identifies_nobody(place):
    gone = needles_of(place.out, place.images, NAME)
    assert place.give("erase", "--path", NAME) == 0
    (file,) = (place.out / "erasures").iterdir()
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


def test_an_erasure_of_all_images_leaves_an_output_without_any(full):
    assert full.give("erase", "--prefix", "person") == 0
    assert full.paths() == full.paths("rejected") == []
    for name in ("pca_model", "reduced", "classifier"):
        assert not (full.out / name).exists()
    put(full.images, "person 3/new.png", seed=30)
    put(full.images, "person 3/other.png", seed=31)
    full.run()
    assert len(full.paths()) == len(full.paths("reduced")) == 2


def seen(place: Place) -> tuple:
    """Return what a reader finds, of all tables and models together."""
    output = Output.open(place.output.location)
    paths = [
        sorted(read_narrow(table_files(output, table), schema, ("path",))["path"].to_pylist())
        for table, schema in (
            ("features", schemas.FEATURES),
            ("rejected", schemas.REJECTED),
            ("reduced", schemas.REDUCED),
        )
    ]
    report = (output.read("report/index.html") or b"").decode()
    return (
        *paths,
        pca_record(output).n_samples,
        bool(fitted_on(output)),
        sorted({each.path for each in current_findings(output)}),
        f'"{NAME}"' in report,
        bool(report),
    )


def test_an_erasure_that_dies_is_finished_by_the_next_commands(full):
    gone = needles_of(full.out, full.images, NAME)
    before, begun = seen(full), full.folder.with_name("full")
    with stopping(full.out, None) as hook:
        assert full.give("erase", "--path", NAME) == 0
    n_moments = hook.n_operations
    after, left = seen(full), features(full)
    assert before != after
    stages = set()
    for n_done in range(0, n_moments, STEP):
        shutil.rmtree(full.folder)
        shutil.copytree(begun, full.folder)
        with pytest.raises(Stopped), stopping(full.out, n_done):
            full.give("erase", "--path", NAME)
        assert seen(full) in (before, after), f"at {n_done} of {n_moments}"
        stages.add(seen(full) == after)
        full.run()
        if pending_erasures(full.output):
            assert NAME not in full.paths()
            assert full.give("erase", "--finish") == 0
        elif traces(everything(full), gone):
            assert full.give("erase", "--path", NAME) == 0  # it had not begun
        assert traces(everything(full), gone) == [], f"at {n_done} of {n_moments}"
        assert features(full).keys() == left.keys()
        assert seen(full) == after
        assert len(list((full.out / "erasures").iterdir())) == 1
    assert stages == {True, False}
