"""``make rehearse-arm``: the wheels of an Arm node, and whether they give the features of x86-64.

The photographs are drawn, some of them spoilt, and the network has seeded weights.  On an emulated
Graviton2 a task's own code reads, decodes and featurizes them; the rows are those of this machine,
bit for bit, or the command fails.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample_photographs.sample_folder import draw_samples
from spark_assets.features.feature_model import save_feature_model
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.storage.locations import parse_location
from tests.arm.machine import arm_python

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = Path(__file__).with_name("featurize.py")
_MODULES = _ROOT / "spark_assets" / "node" / "modules.txt"
_IMAGES_PER_LABEL = 2


def main(wheelhouse: Path, machine: Path) -> int:
    began = time.monotonic()
    arm = arm_python(machine, wheelhouse)
    _say(f"an Arm Python with the wheels of a node is in {machine}", began)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = draw_samples(folder / "images", images_per_label=_IMAGES_PER_LABEL)
        model = FeatureModelRequest("random", 1.0).obtain(verbose=False)
        save_feature_model(model, parse_location(str(folder / "model")))
        _say(f"{drawn.n_images} images are drawn, {drawn.n_broken} of them spoilt", began)
        here = _featurized([sys.executable], folder, "here")
        _say("featurized here", began)
        on_arm = _featurized(arm, folder, "arm")
        _say("featurized on Arm: every module of a node is imported", began)
    return _compare(here, on_arm)


def _featurized(python: list[str], folder: Path, name: str) -> pa.Table:
    output = folder / f"{name}.parquet"
    arguments = [_MODULES, folder / "model", folder / "images", output]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "HOME": str(folder)}
    subprocess.run([*python, _SCRIPT, *arguments], env=environment, check=True)
    return pq.read_table(output)


def _compare(here: pa.Table, on_arm: pa.Table) -> int:
    n_equal = sum(
        ours == theirs for ours, theirs in zip(here.to_pylist(), on_arm.to_pylist(), strict=True)
    )
    differences = [
        np.abs(np.subtract(ours, theirs)).max()
        for ours, theirs in zip(
            here["features"].to_pylist(), on_arm["features"].to_pylist(), strict=True
        )
        if ours is not None and theirs is not None
    ]
    print(
        f"{n_equal} of {here.num_rows} rows are equal bit for bit, {len(differences)} of them with "
        f"features, of which the largest difference is {max(differences):g}"
    )
    return 0 if n_equal == here.num_rows else 1


def _say(what: str, began: float) -> None:
    print(f"{time.monotonic() - began:4.0f} s  {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
