"""Spark's event log, as the steps of the cluster write it, tells of no photograph."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyspark
import pytest

from tests.spark.runs import put, save

pytestmark = pytest.mark.slow

# In each name of a photograph and of a folder, and nowhere else.
TOKEN = "zqxj"
PATHS = (
    f"{TOKEN} été/1.png",
    f"{TOKEN} été/{TOKEN}'quoted\".png",
    f"{TOKEN} été/{TOKEN}%20.png",
    f"{TOKEN}-2/{TOKEN}\nline.png",
    f"{TOKEN}-2/{TOKEN}$(x).png",
    f"{TOKEN}.png",
)
BROKEN = f"{TOKEN}-2/{TOKEN}.jpg"
# What few photographs would leave to the driver is done in tasks too.
PROGRAM = """
from importlib import import_module

from spark_assets.runtime import distribute

distribute._MAX_ROWS_HERE = -1
for name, *arguments in {steps!r}:
    assert import_module("spark_assets.jobs." + name).COMMAND.main(arguments) == 0, name
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory, seeded_model):
    """Return the events of three steps as text, by application."""
    folder = tmp_path_factory.mktemp("events")
    save(seeded_model, folder / "model")
    for seed, path in enumerate(PATHS):
        put(folder / "images", path, seed=seed)
    put(folder / "images", BROKEN, b"no image")
    source = ["--images", str(folder / "images"), "--model", str(folder / "model")]
    output = ["--output", str(folder / "out")]
    steps = [
        ["featurize", *source, *output, "--max-rejected", "1"],
        ["reduce", *output, "--n-components", "2"],
        ["erase", *output, "--path", PATHS[0], "--path", BROKEN],
    ]
    program = folder / "program.py"
    program.write_text(PROGRAM.format(steps=steps))
    # The folder of the log is not there, as before the first run in a bucket.
    logs = folder / "spark-events"
    _submit(program, f"file://{logs}")
    return {
        log.parent.name: pa.CompressedInputStream(pa.OSFile(str(log)), "zstd").read().decode()
        for log in sorted(logs.glob("*/events_*.zstd"))
    }


def _submit(program: Path, log_uri: str) -> None:
    spark = Path(pyspark.__file__).parent
    settings = {
        "spark.master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log_uri,
    }
    options = [word for each in settings.items() for word in ("--conf", "=".join(each))]
    done = subprocess.run(
        [str(spark / "bin" / "spark-submit"), *options, str(program)],
        env={
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_HOME": str(spark),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_each_application_leaves_the_events_of_its_jobs(events):
    assert len(events) == 3
    for text in events.values():
        jobs = [e for e in map(json.loads, text.splitlines()) if e["Event"].endswith("JobEnd")]
        assert jobs


def test_no_event_names_a_photograph_or_its_folder(events):
    for application, text in events.items():
        found = text.find(TOKEN)
        assert found == -1, f"{application}: {text[max(found - 300, 0) : found + 100]}"
