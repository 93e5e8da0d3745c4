"""A real standalone cluster on loopback: a master and two workers, each its own process."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyspark
import pytest

from spark_assets.features.feature_model import FeatureModel
from spark_assets.runtime.java import jvm_options
from tests.spark.runs import paths_of, put, save

SPARK_HOME = Path(pyspark.__file__).parent
START_TIMEOUT_S = 300
N_IMAGES = 600

pytestmark = pytest.mark.slow


class Cluster:
    """The processes of a cluster, ended with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self._environment = {
            **os.environ,
            "SPARK_HOME": str(SPARK_HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_WORKER_DIR": str(folder / "work"),
            "SPARK_LOG_DIR": str(folder),
            # Executors must bring nothing from here but the interpreter.
            "PYTHONPATH": "",
            # For the executors too, which take it from the worker that starts them.
            "JDK_JAVA_OPTIONS": jvm_options(),
        }
        master = "org.apache.spark.deploy.master.Master"
        self.url = self._start(
            "master", [master, "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"],
            r"Starting Spark master at (spark://\S+)",
        )  # fmt: skip
        worker = "org.apache.spark.deploy.worker.Worker"
        for name in ("worker-1", "worker-2"):
            self._start(
                name,
                [
                    worker,
                    "--host",
                    "127.0.0.1",
                    "--webui-port",
                    "0",
                    "-c",
                    "1",
                    "-m",
                    "1g",
                    self.url,
                ],
                r"Successfully registered with master (\S+)",
            )

    def _start(self, name: str, arguments: list[str], sign: str) -> str:
        """Start a process and wait for the line of its log that says it is up."""
        process = subprocess.Popen(
            [str(SPARK_HOME / "bin" / "spark-class"), *arguments],
            env=self._environment,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        found: list[str] = []
        is_up = threading.Event()

        def follow() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                match = re.search(sign, line)
                if match and not is_up.is_set():
                    found.append(match[1])
                    is_up.set()

        threading.Thread(target=follow, daemon=True).start()
        assert is_up.wait(START_TIMEOUT_S), f"the {name} did not start"
        return found[0]

    def executors(self) -> list[psutil.Process]:
        """Return the executors: JVMs that the workers started."""
        return [
            child
            for process in self._processes[1:]
            for child in psutil.Process(process.pid).children(recursive=True)
            if "CoarseGrainedExecutorBackend" in " ".join(_command(child))
        ]

    def stop(self) -> None:
        for process in reversed(self._processes):
            family = [*psutil.Process(process.pid).children(recursive=True)]
            process.terminate()
            process.wait(30)
            for child in family:
                if child.is_running():
                    child.kill()
            if process.stderr is not None:
                process.stderr.close()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    yield started
    started.stop()


def start_run(cluster: Cluster, images: Path, output: Path, model: Path) -> subprocess.Popen[str]:
    """Start the command away from the sources, so that executors get the package or fail."""
    arguments = [
        "run", "--images", str(images), "--output", str(output), "--model", str(model),
        "--master", cluster.url, "--n-components", "5",
    ]  # fmt: skip
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "fruits"), *arguments],
        cwd=output.parent,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def only_manifest(output: Path) -> dict:
    (path,) = (output / "runs").glob("*.json")
    return json.loads(path.read_text())


def test_the_chain_runs_in_separate_executors_and_loses_nothing_with_one_of_them(
    cluster, tmp_path, seeded_model: FeatureModel
):
    model = save(seeded_model, tmp_path / "model")
    images = [
        put(tmp_path / "images", f"label {index % 4}/{index}.png", seed=index)
        for index in range(N_IMAGES)
    ]
    put(tmp_path / "images", "broken.jpg", b"broken")
    run = start_run(cluster, tmp_path / "images", tmp_path / "out", model)
    kill_an_executor_when_a_task_has_ended(cluster, run, tmp_path / "out")
    _, stderr = run.communicate(timeout=900)
    assert run.returncode == 0, stderr
    expected = sorted(str(image.relative_to(tmp_path / "images")) for image in images)
    assert paths_of(tmp_path / "out") == expected
    manifest = only_manifest(tmp_path / "out")
    assert manifest["counts_add_up"] == f"{N_IMAGES + 1} images = {N_IMAGES} features + 1 rejected"
    assert manifest["n_task_slots"] == 2
    assert (tmp_path / "out" / "report" / "index.html").exists()


def kill_an_executor_when_a_task_has_ended(
    cluster: Cluster, run: subprocess.Popen[str], output: Path
) -> None:
    """Wait until a task of the featurizing stage has ended, then kill one executor."""
    end = time.monotonic() + 900
    while time.monotonic() < end and run.poll() is None:
        if list(output.glob("_staging/*/features/*.parquet")):
            cluster.executors()[0].kill()
            return
        threading.Event().wait(0.05)
    pytest.fail("the run ended before an executor could be killed")
