"""``fruits`` as a user starts it: a process of its own, timed from outside."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import WorkerMemory
from benchmarks.processes import last_words, run_program
from spark_assets.errors import FruitsError

# Where tasks of Spark are what is measured.
MASTER = "local[2]"


@dataclass(frozen=True, slots=True)
class FeaturizeRun:
    """One ``fruits featurize``: wall seconds of the whole process, and what it left behind."""

    n_images: int
    seconds: float
    manifest: dict[str, Any]
    peak_worker_mib: float | None
    features_path: Path

    @property
    def images_per_second(self) -> float:
        """Images per second of the featurizing stage, by the run's own manifest."""
        return float(self.manifest["images_per_second"])

    @property
    def images_per_second_steady(self) -> float:
        """The same without the first and the last images, where the run was long enough."""
        steady = self.manifest["images_per_second_steady"]
        return self.images_per_second if steady is None else float(steady)


def featurize(
    images_uri: str,
    output: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> FeaturizeRun:
    """Run ``fruits featurize`` into a fresh folder, on this machine as it does by itself.

    Raises FruitsError where it fails or does not account for every image.
    """
    shutil.rmtree(output, ignore_errors=True)
    command = ["featurize", "--images", images_uri, "--output", str(output), *options]
    log_path = output.with_name(f"{output.name}.log")
    output.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [fruits(), *command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        with WorkerMemory(process) as memory:
            exit_code = process.wait()
        seconds = time.monotonic() - started
    if exit_code != 0:
        words = last_words(log_path.read_text(errors="replace"))
        raise FruitsError(f"fruits featurize ended with exit code {exit_code}: {words}")
    (manifest_path,) = (output / "runs").glob("*.json")
    manifest = json.loads(manifest_path.read_text())
    return FeaturizeRun(
        n_images=manifest["counts"]["n_images"],
        seconds=seconds,
        manifest=manifest,
        peak_worker_mib=memory.peak_mib,
        features_path=output / "features",
    )


def run_chain(
    images: Path, output: Path, *options: str, environment: Mapping[str, str] | None = None
) -> float:
    """Run ``fruits run`` on what is there; return the seconds of the whole process.

    Raises FruitsError where it fails.
    """
    arguments = ["--images", str(images), "--output", str(output), *options]
    started = time.monotonic()
    run_program([str(fruits()), "run", *arguments], environment=environment)
    return time.monotonic() - started


def export_model(weights: Path, alpha: float, output: Path) -> Path:
    """Return the folder of a model artefact made from Keras weights, once."""
    if not (output / "model.json").exists():
        arguments = ["--weights", str(weights), "--alpha", str(alpha), "--output", str(output)]
        run_program([str(fruits()), "export-model", *arguments])
    return output


def fruits() -> Path:
    """Return the command as it is installed here."""
    return Path(sys.executable).with_name("fruits")
