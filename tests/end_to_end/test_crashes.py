"""Commands killed at 21 moments: readers see before or after, and the next command mends it all."""

import argparse
import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from spark_assets.chain.options import FeaturizeOptions, ReduceOptions, ReportOptions
from spark_assets.chain.run import run_chain
from spark_assets.erasure.rewrite import rewrite_unfinished
from spark_assets.erasure.run import EraseOptions, erase
from spark_assets.jobs.working import working_on
from spark_assets.output.erasing import pending_erasures
from spark_assets.output.history import current_features, current_reduced, visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.orphans import find_orphans
from spark_assets.output.pca_models import load_pca_model, pca_records, projected_runs
from spark_assets.pca.model import project
from tests.spark.runs import options_for, put, save, touch

pytestmark = pytest.mark.slow

# Beside those within what Spark does, of which a run and a fit have three.
N_KILLS = {"run": 5, "refit": 3, "erase": 7}
ERASED = "a/2.png"
TIMEOUT_S = 300


def run_until(fatal: int, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that is killed at a moment, if there is one; return when its JVM has ended.

    The JVM has the command's standard output: it ends a moment after the command that was killed,
    and may write until then.
    """
    return subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.killed", str(fatal), *command],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """An output before a command, and the command."""

    folder: Path
    options: FeaturizeOptions
    arguments: list[str]

    def copy_to(self, folder: Path) -> "Case":
        # With their times: an image whose time has moved is a changed one.
        shutil.copytree(self.folder, folder)
        moved = {str(self.folder): str(folder)}
        options = options_for(folder, folder / "model")
        arguments = [_moved(argument, moved) for argument in self.arguments]
        manifests = [*(folder / "out/manifests").iterdir()]
        for manifest in manifests:  # the source of an output is where it was made
            manifest.write_text(_moved(manifest.read_text(), moved))
        return Case(folder, options, arguments)


def _moved(text: str, moved: dict[str, str]) -> str:
    for old, new in moved.items():
        text = text.replace(old, new)
    return text


def chain(spark: SparkSession, options: FeaturizeOptions, *, refit: bool = False) -> None:
    to_reduce = ReduceOptions(options.output, 3, None, refit, verbose=False)
    run_chain(
        lambda: spark.sparkContext,
        options,
        to_reduce,
        ReportOptions(options.output, 100, verbose=False),
    )


@pytest.fixture(scope="module")
def cases(spark, seeded_model, tmp_path_factory) -> dict[str, Case]:
    """Return for each command an output, and a source that has changed since it was made."""
    folder = tmp_path_factory.mktemp("crashes") / "base"
    options = options_for(folder, save(seeded_model, folder / "model"))
    images = folder / "images"
    for index in range(8):
        put(images, f"a/{index}.png", seed=index)
    chain(spark, options)
    put(images, "b/new.png", seed=20)
    put(images, "b/broken.png", b"broken")
    touch(put(images, "a/1.png", seed=21), later_s=60)
    (images / "a/0.png").unlink()
    common = ["--output", str(folder / "out"), "--master", "local[2]"]
    source = ["--images", str(images), "--model", str(folder / "model"), "--max-rejected", "1"]
    run = ["run", *common, *source, "--n-components", "3"]
    return {
        "run": Case(folder, options, run),
        "refit": Case(folder, options, [*run, "--refit"]),
        "erase": Case(folder, options, ["erase", *common, "--path", ERASED]),
    }


def seen(spark: SparkSession, options: FeaturizeOptions) -> dict[str, bytes]:
    """Return what a reader sees, after a look that it is whole: features by path."""
    layout = OutputLayout(options.output)
    runs = visible_runs(layout)
    rows = current_features(spark, layout).collect()
    features = {row.path: np.array(row.features, np.float32) for row in rows}
    assert len(rows) == len(features)
    records = pca_records(layout, [run.run_id for run in runs])
    for record in records[-1:]:
        model, _ = load_pca_model(layout.pca_model(record.model_id))
        projected = projected_runs(layout, record)
        reduced = current_reduced(spark, layout, record.model_id, projected).collect()
        assert len(reduced) == len({row.path for row in reduced})
        for row in reduced:
            expected = project(model, features[row.path][np.newaxis])[0]
            np.testing.assert_allclose(row.pca_features, expected, atol=1e-4)
    return {path: row.tobytes() for path, row in features.items()}


def go_on(spark: SparkSession, command: str, options: FeaturizeOptions) -> None:
    """Give the command again, as it works in a process of its own."""
    parsed = argparse.Namespace(wait=False)
    with working_on(options.output, f"fruits {command}", parsed):
        layout = OutputLayout(options.output)
        if command == "erase" and pending_erasures(layout):
            asking = EraseOptions(options.output, (), None, False, False, (), 100, False)
            erase(asking, lambda: spark.sparkContext)
        rewrite_unfinished(lambda: spark.sparkContext, layout, max_points=100)
        chain(spark, options, refit=command == "refit")


@pytest.mark.parametrize("command", list(N_KILLS))
def test_a_killed_command_leaves_before_or_after_and_the_next_one_mends_it(
    spark, cases, tmp_path, command
):
    before = seen(spark, cases[command].options)
    whole = cases[command].copy_to(tmp_path / "whole")
    finished = run_until(0, whole.arguments)
    assert finished.returncode == 0, finished.stderr
    n_moments, *within = map(int, finished.stdout.split())
    after = seen(spark, whole.options)
    assert after.keys() != before.keys()
    chain(spark, whole.options)  # an erasure leaves the source with what else has changed
    mended = seen(spark, whole.options)
    spread = np.linspace(1, n_moments, N_KILLS[command]).round().astype(int).tolist()
    for fatal in sorted({*spread, *within}):
        case = cases[command].copy_to(tmp_path / f"killed at {fatal}")
        killed = run_until(fatal, case.arguments)
        assert killed.returncode == -9, f"at {fatal} of {n_moments}: {killed.stderr}"
        assert seen(spark, case.options) in (before, after), f"at {fatal} of {n_moments}"
        go_on(spark, command, case.options)
        found = seen(spark, case.options)
        if command == "erase" and fatal == 1:
            assert found.keys() - mended.keys() <= {ERASED}  # it had not begun
        else:
            assert found == mended, f"at {fatal} of {n_moments}"
        assert find_orphans(OutputLayout(case.options.output)) == []
        assert not list((case.folder / "out").rglob("_temporary"))
