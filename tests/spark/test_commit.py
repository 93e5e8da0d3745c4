"""A change of an output is made wholly or not at all, whichever file operation is its last."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow.parquet as pq
import pytest

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.make_report import report
from spark_assets.chain.options import ReduceOptions, ReportOptions
from spark_assets.chain.run_chain import run_chain
from spark_assets.erasure.erasure_request import ErasureRequest
from spark_assets.erasure.run_erasure import EraseOptions, erase
from spark_assets.errors import FruitsError
from spark_assets.features import in_threads
from spark_assets.output import commit as committing
from spark_assets.output.commit import begin, commit, live_files, read_log, recover
from spark_assets.output.output import REPORT, Output
from spark_assets.output.parquet_tables import table_files
from spark_assets.output.pca_model import load_pca_model, pca_record
from spark_assets.runtime import signals
from spark_assets.runtime.spark_context import SparkOnDemand
from spark_assets.storage.files import copy_or_move
from spark_assets.storage.locations import Location, parse_location
from tests.conftest import no_spark
from tests.spark.runs import files_under, options_for, put, save
from tests.spark.stopping import Stopped, stopping

SPARK = SparkOnDemand(no_spark, is_requested=False)
State: TypeAlias = dict[str, Any]


class MeanColors:
    """An engine of six features, so that a PCA takes no time."""

    batch_size = 1

    def __call__(self, pixels):
        colors = pixels.reshape(len(pixels), -1, 3)
        return np.concatenate([colors.mean(axis=1), colors.std(axis=1)], axis=1).astype(np.float32)


@pytest.fixture
def output(tmp_path) -> Location:
    return parse_location(str(tmp_path / "out"))


def test_nothing_is_there_before_the_commit_and_all_of_it_after(output):
    with begin(output, "one") as change:
        change.put("table/a", b"1")
        change.put("table/b", b"2")
        assert live_files(output, None, "table") == {}
        assert change.log.add == ("table/a", "table/b")
        commit(change)
    assert files_under(Path(output.base)) == {"table/a": b"1", "table/b": b"2"}


def test_a_change_that_is_not_committed_leaves_nothing(output):
    with begin(output, "one") as change:
        change.put("table/a", b"1")
    assert not any(Path(output.base).iterdir())


def test_a_folder_is_replaced_as_a_whole(output):
    for number, names in enumerate(("ab", "bc")):
        with begin(output, str(number)) as change:
            change.put_folder("model", {name: name.encode() * (number + 1) for name in names})
            commit(change)
    assert files_under(Path(output.base)) == {"model/b": b"bb", "model/c": b"cc"}


def test_what_was_interrupted_is_not_committed(output):
    try:
        signals.interrupt()
        with begin(output, "one") as change:
            change.put("table/a", b"1")
            with pytest.raises(FruitsError, match="interrupted"):
                commit(change)
    finally:
        signals.reset_interruption()
    assert files_under(Path(output.base)) == {}


def test_a_second_log_is_refused(output):
    put(Path(output.base), "_commit.json", b'{"change_id": "other", "add": [], "remove": []}')
    with begin(output, "one") as change:
        change.put("table/a", b"1")
        with pytest.raises(FruitsError, match=r"another command changes .* nothing of this one is"):
            commit(change)


def test_a_staged_file_that_somebody_removes_fails_the_change(output):
    with begin(output, "one") as change:
        change.put("table/a", b"1")
        change.put("table/b", b"2")
        Path(change.staging.base, "table", "a").unlink()
        with pytest.raises(FruitsError, match=r"1 of 2 files staged for .* are missing"):
            commit(change)
    assert files_under(Path(output.base)) == {}


def test_a_change_whose_end_fails_is_not_discarded_and_the_next_command_makes_it(
    output, monkeypatch
):
    folder = Path(output.base)
    put(folder, "table/old", b"0")
    moved = []

    def fail_at_the_second(source, target):
        if moved:
            raise OSError(errno.ENOSPC, "no space")
        moved.append(target)
        copy_or_move(source, target)

    monkeypatch.setattr(committing, "copy_or_move", fail_at_the_second)
    with begin(output, "one") as change:
        change.put("table/a", b"1")
        change.put("table/b", b"2")
        change.remove(["table/old"])
        with pytest.raises(OSError, match="no space"):
            commit(change)
    monkeypatch.undo()
    assert [*live_files(output, read_log(output), "table")] == ["a", "b"]
    recover(output)
    assert files_under(folder) == {"table/a": b"1", "table/b": b"2"}


def test_half_written_files_of_dead_commands_are_removed_and_those_of_others_are_not(output):
    folder = Path(output.base)
    for name in ("._commit.json.1a2b3c4d.partial", "receipts/.j-1.json.1a2b3c4d.partial"):
        put(folder, name, b"{")
    put(folder, "_staging/dead/features/a.parquet", b"1")
    put(folder, "notes.partial", b"mine")
    recover(output)
    assert files_under(folder) == {"notes.partial": b"mine"}


@pytest.fixture
def before(tmp_path, seeded_model, monkeypatch) -> Path:
    """Return a folder with an output of nine images, of which one is rejected."""
    monkeypatch.setattr(in_threads, "build_engine", lambda _: MeanColors())
    for number in range(8):
        put(tmp_path / "images", f"label {number % 2}/{number}.png", seed=number)
    put(tmp_path / "images", "bad.png", b"no image")
    save(seeded_model, tmp_path / "model")
    chain(tmp_path)
    return tmp_path


def chain(folder: Path) -> None:
    options = options_for(folder, folder / "model", max_rejected=1.0)
    run_chain(SPARK, options, to_reduce(folder), to_report(folder))


def to_reduce(folder: Path, *, refit: bool = False) -> ReduceOptions:
    return ReduceOptions(parse_location(str(folder / "out")), None, None, refit)


def to_report(folder: Path) -> ReportOptions:
    return ReportOptions(parse_location(str(folder / "out")), 100, "en")


def change_the_source(folder: Path) -> None:
    """Add two images, change one, mend one, and delete one."""
    for number, name in enumerate(("label 0/new.png", "label 1/new.png", "label 0/2.png")):
        put(folder / "images", name, seed=20 + number)
    put(folder / "images", "bad.png", seed=30)
    (folder / "images" / "label 1" / "3.png").unlink()


def erase_two(folder: Path, *, finish: bool = False) -> None:
    request = (
        None if finish else ErasureRequest(paths=frozenset({"label 0/0.png", "label 1/1.png"}))
    )
    options = EraseOptions(parse_location(str(folder / "out")), [], request, False, False, [], 100)
    erase(options, SPARK)


def state_of(output: Output) -> State:
    """Return all that a reader finds, but for ids and times."""
    tables = {
        table: {
            row["path"]: str(row.get("features") or row.get("pca_features") or row.get("reason"))
            for file in table_files(output, table)
            for row in pq.read_table(file.location.base).to_pylist()
        }
        for table in ("features", "rejected", "reduced")
    }
    n_rows = {
        table: sum(pq.read_metadata(f.location.base).num_rows for f in table_files(output, table))
        for table in tables
    }
    assert n_rows == {table: len(rows) for table, rows in tables.items()}, "a row is there twice"
    record = pca_record(output)
    model = None if record is None else load_pca_model(output.folder("pca_model"))[0]
    variance = None if model is None else model.explained_variance.tolist()
    return tables | {"pca": variance, "report": output.read(REPORT) is not None}


def plainly(folder: Path) -> State:
    """Return the same as a reader finds it who knows of no log."""
    assert read_log(parse_location(str(folder))) is None
    return state_of(Output(parse_location(str(folder))))


def stages_of_run(folder: Path) -> list[Callable[[], object]]:
    options = options_for(folder, folder / "model", max_rejected=1.0)
    return [
        lambda: featurize(SPARK, options),
        lambda: reduce_features(SPARK, to_reduce(folder)),
        lambda: report(SPARK, to_report(folder)),
    ]


def run(folder: Path) -> None:
    for stage in stages_of_run(folder):
        stage()


COMMANDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "run": (run, chain),
    "refit": (lambda folder: _refit(folder), lambda folder: _refit(folder)),
    "erase": (erase_two, lambda folder: erase_two(folder, finish=True)),
}


def _refit(folder: Path) -> None:
    reduce_features(SPARK, to_reduce(folder, refit=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_dies_after_any_file_operation_leaves_one_state(before, name, tmp_path):
    command, again = COMMANDS[name]
    if name == "run":
        change_the_source(before)
    elif name == "refit":
        change_the_source(before)
        featurize(SPARK, options_for(before, before / "model", max_rejected=1.0))
        reduce_features(SPARK, to_reduce(before))
    states = [plainly(before / "out")]
    kept = Path(shutil.copytree(before, tmp_path / "kept", ignore=_only("out", "images")))
    with stopping(before / "out", None) as hook:
        if name == "run":
            for stage in stages_of_run(before):
                stage()
                states.append(plainly(before / "out"))
        else:
            command(before)
            states.append(plainly(before / "out"))
    assert states[0] != states[-1]
    seen = [False] * len(states)
    for n_operations in range(hook.n_operations):
        for part in ("out", "images"):
            shutil.rmtree(before / part)
            shutil.copytree(kept / part, before / part)
        with pytest.raises(Stopped), stopping(before / "out", n_operations):
            command(before)
        found = state_of(Output.open(parse_location(str(before / "out"))))
        assert found in states, f"after {n_operations} operations"
        recover(parse_location(str(before / "out")))
        assert plainly(before / "out") == found, f"after {n_operations} operations"
        seen[states.index(found)] = True
        if name != "erase" or (before / "out" / "_erasing").exists():
            again(before)
        elif found != states[-1]:
            command(before)
        assert plainly(before / "out") == states[-1]
        assert not {"_commit.json", "_staging", "_erasing"} & {
            path.name for path in (before / "out").iterdir()
        }
    assert all(seen)


def _only(*names: str) -> Callable[[str, list[str]], list[str]]:
    """Copy these folders of the one at the top."""
    tops: list[str] = []

    def ignored(folder: str, found: list[str]) -> list[str]:
        tops.append(folder)
        return [name for name in found if name not in names] if len(tops) == 1 else []

    return ignored
