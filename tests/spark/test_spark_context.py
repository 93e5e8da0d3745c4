"""The session of a local run, in a process of its own: this one has another for the other tests."""

import subprocess
import sys

import pytest

PROGRAM = """
import threading

from spark_assets.runtime.spark_context import start_context

def what_is_there(_):
    import sys
    from pathlib import Path
    there = set(sys.modules)
    import pyspark
    return "spark_assets.features.on_spark" in there, Path(pyspark.__file__).is_file()

context = start_context("a test", master="local[1]", verbose=False)
print(context.parallelize([0], 1).map(what_is_there).first())
server, has_ended = context._accumulatorServer, threading.Event()
server.server_close = has_ended.set
context.stop()
print(has_ended.wait(60))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers load what they need")
def test_a_worker_has_what_it_needs_at_its_first_task_and_nothing_goes_on_after_the_end():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "(True, True)\nTrue\n", done.stderr
