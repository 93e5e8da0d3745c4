"""The session of a local run, in a process of its own: this one has another for the other tests."""

import subprocess
import sys

import pytest

PROGRAM = """
from spark_assets.session import start_session

def what_is_there(_):
    import sys
    from pathlib import Path
    there = set(sys.modules)
    import pyspark
    return "spark_assets.features.on_spark" in there, Path(pyspark.__file__).is_file()

spark = start_session("a test", master="local[1]", s3=None, verbose=False)
print(spark.sparkContext.parallelize([0], 1).map(what_is_there).first())
spark.stop()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers load what they need")
def test_a_worker_has_what_it_needs_at_its_first_task_and_not_from_a_zip():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "(True, True)\n", done.stderr
