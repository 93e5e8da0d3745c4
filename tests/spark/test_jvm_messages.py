"""Of what a JVM prints when it ends, the one sentence that says why."""

import pytest

from spark_assets.runtime.java import last_sentence

WRONG_OPTION = """Picked up JAVA_TOOL_OPTIONS: -XX:MaxPermSize=512m
Unrecognized VM option 'MaxPermSize=512m'
Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
"""
NO_FOLDER = """WARNING: Using incubator modules: jdk.incubator.vector
Exception in thread "main" java.lang.IllegalArgumentException: basedir must be absolute: ?/.ivy2
\tat org.apache.ivy.util.Checks.checkAbsolute(Checks.java:57)
\tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)
"""
WITH_A_CAUSE = """26/11/29 08:50:00 WARN Utils: Your hostname resolves to a loopback address
Exception in thread "main" java.lang.RuntimeException: java.io.IOException: it did not start
\tat Some.java:1
Caused by: java.io.IOException: No space left on device
\t... 21 more
"""
WITH_HELP = """Error: Missing application resource.

Usage: spark-submit [options] <app jar | python file | R file> [app arguments]
Options:
  --master MASTER_URL         spark://host:port, yarn, or local
"""
NO_CLASS = """Error: Could not find or load main class clone..venv
Caused by: java.lang.ClassNotFoundException: clone//venv
"""


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (WRONG_OPTION, "Unrecognized VM option 'MaxPermSize=512m'"),
        (NO_FOLDER, "basedir must be absolute: ?/.ivy2"),
        (WITH_A_CAUSE, "No space left on device"),
        (WITH_HELP, "Missing application resource"),
        (NO_CLASS, "Could not find or load main class clone..venv"),
        ("", None),
        ("Picked up _JAVA_OPTIONS: -Xmx64m\n", None),
    ],
)
def test_the_sentence_that_says_why_is_found_among_frames_and_notes(printed, sentence):
    assert last_sentence(printed) == sentence
