"""What a newcomer runs: drawn samples, seeded weights, some images broken on purpose."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from sample_photographs.sample_folder import BROKEN_IMAGES, draw_samples
from tests.end_to_end.browser import open_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples run")
    drawn = draw_samples(folder / "samples", images_per_label=8)
    command = [
        str(Path(sys.executable).parent / "fruits"), "run", "--images", str(folder / "samples"),
        "--output", str(folder / "out"), "--weights", "random", "--alpha", "0.35",
        "--engine", "tensorflow",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{drawn.n_images} images = " in done.stderr
    # Beside other work it takes longer than 30 s, and lines tell how much is left.
    lines = [line for line in done.stderr.splitlines() if not line.endswith(" s left")]
    assert lines[-1].startswith("report: ")
    # A warning, and a line each for what there is, what was done, reduced and written: no noise.
    assert len(lines) == 5, done.stderr
    return folder / "out"


def test_each_broken_sample_is_rejected_for_its_own_reason(output):
    rejected = pyarrow.parquet.read_table(output / "rejected").to_pylist()
    assert {row["path"]: row["reason"] for row in rejected} == {
        image.path: image.reason for image in BROKEN_IMAGES
    }


def test_nothing_is_lost(output):
    (path,) = (output / "runs").glob("*.json")
    counts = json.loads(path.read_text())["counts"]
    assert counts["n_images"] == counts["n_features"] + counts["n_rejected"]
    assert pyarrow.parquet.read_table(output / "reduced").num_rows == counts["n_features"]


def test_the_report_warns_of_seeded_weights_and_shows_a_picture_at_a_point(output, chromium):
    with open_page(chromium, output / "report" / "index.html") as report:
        assert "not ImageNet" in report.page.locator("#warning").inner_text()
        assert report.problems == []
        assert report.requests == []
        assert report.n_marks("first-two") > 0


def test_the_features_of_one_fruit_are_nearer_to_each_other_than_to_others(output):
    """Seeded weights still see colour and texture: better than chance by far."""
    table = pyarrow.parquet.read_table(output / "reduced")
    points, labels = np.array(table["pca_features"].to_pylist()), table["label"].to_pylist()
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    same = [labels[i] == labels[j] for i, j in enumerate(distances.argmin(axis=1))]
    assert np.mean(same) > 3 / len(set(labels))
