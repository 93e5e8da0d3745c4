"""The chain on real photographs with real weights, and the report that it makes, in a browser."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from sklearn.neighbors import KNeighborsClassifier

from tests.end_to_end.browser import open_page

pytestmark = pytest.mark.slow

N_TRAINING, N_TEST = 480, 240


def fruits_run(data_dir: Path, split: str, output: Path, *options: str) -> None:
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    command = [
        str(Path(sys.executable).parent / "fruits"), "run",
        "--images", str(data_dir / "fruits-360" / split), "--output", str(output),
        "--weights", str(weights), "--alpha", "0.35", *options,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def training(data_dir, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("training") / "out"
    fruits_run(data_dir, "Training", output)
    return output


@pytest.fixture(scope="module")
def projected(data_dir, training, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("test") / "out-test"
    fruits_run(data_dir, "Test", output, "--pca-model", str(training / "pca_model"))
    return output


def manifest(output: Path) -> dict:
    (path,) = (output / "runs").glob("*.json")
    return json.loads(path.read_text())


def reduced(output: Path) -> tuple[np.ndarray, list[str]]:
    table = pyarrow.parquet.read_table(output / "reduced")
    return np.array(table["pca_features"].to_pylist()), table["label"].to_pylist()


def test_every_photograph_gets_its_features(training):
    counts = manifest(training)["counts"]
    assert (counts["n_images"], counts["n_features"], counts["n_rejected"]) == (
        N_TRAINING, N_TRAINING, 0,
    )  # fmt: skip
    features = pyarrow.parquet.read_table(training / "features")
    assert features.num_rows == N_TRAINING
    assert set(features["features"].combine_chunks().value_lengths().to_pylist()) == {1280}
    assert set(features["width"].to_pylist()) == {100}


def test_the_nearest_neighbour_in_the_reduced_space_names_the_fruit(training, projected):
    known, labels = reduced(training)
    unseen, expected = reduced(projected)
    assert unseen.shape == (N_TEST, known.shape[1])
    accuracy = KNeighborsClassifier(1).fit(known, labels).score(unseen, expected)
    assert accuracy >= 0.99


def test_the_report_draws_its_plots_asks_for_nothing_and_tells_the_manifest(training, chromium):
    told = manifest(training)
    with open_page(chromium, training / "report" / "index.html") as report:
        assert report.problems == []
        assert report.requests == []
        assert len(report.plots()) == 3
        assert report.n_marks("first-two") == N_TRAINING
        for name in ("n_images", "n_features", "n_rejected", "n_known"):
            assert report.value(name.replace("_", "-")) == told["counts"][name]
        assert report.page.locator("#run-id").inner_text() == told["run_id"]
