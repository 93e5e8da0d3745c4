from argparse import Namespace

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from spark_assets.errors import FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.error_reports import sentence_of

FROM_A_WORKER = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "planning.py", line 103, in work
spark_assets.errors.FruitsError: the bucket fruit does not exist; check the name in s3://fruit
"""


def test_our_own_failure_is_its_sentence():
    assert sentence_of(FruitsError("this went wrong; do that")) == "this went wrong; do that"


def test_our_own_failure_in_a_worker_is_its_sentence_too():
    expected = "the bucket fruit does not exist; check the name in s3://fruit"
    assert sentence_of(RuntimeError(FROM_A_WORKER)) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("java.io.IOException: No space left on device", "the disk is full"),
        ("java.io.IOException: Permission denied", "check the permissions"),
        ("AWS Error ACCESS_DENIED during HeadObject operation", "access in S3 is denied"),
        ("An error occurred (AccessDenied) when calling PutObject", "access in S3 is denied"),
        (
            "java.nio.file.AccessDeniedException: s3a://b/k: Status Code: 403",
            "access in S3 is denied",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "ran out of memory"),
        ("org.apache.spark.SparkException: Python worker exited unexpectedly", "worker died"),
        ("[PYTHON_VERSION_MISMATCH] Python in worker has different version", "set PYSPARK_PYTHON"),
    ],
)
def test_what_spark_is_known_to_throw_is_told_in_words(text, sentence):
    assert sentence in sentence_of(RuntimeError(f"job aborted\n{text}\n\tat Some.java:1"))


def test_anything_else_is_one_line_that_says_how_to_learn_more():
    told = sentence_of(RuntimeError("\nsomething new\n\tat Some.java:1\n"))
    assert told == "RuntimeError: something new; for the stack trace, add --verbose"


IMPORT_IN_A_WORKER = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.run.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 1 in stage 0.0 failed
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1, in main
    import numpy
ModuleNotFoundError: No module named 'numpy'

\tat org.apache.spark.api.python.BasePythonRunner.read(PythonRunner.scala:1)
"""


def test_a_failure_in_a_worker_is_the_last_line_of_its_trace():
    told = sentence_of(RuntimeError(IMPORT_IN_A_WORKER))
    assert told == (
        "a Python worker failed: ModuleNotFoundError: No module named 'numpy'; "
        "for the stack trace, add --verbose"
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"),
            "S3 answered AccessDenied: access in S3 is denied; check what the role may",
        ),
        (FruitsError("this went wrong; do that"), "this went wrong; do that"),
        (NoCredentialsError(), "no AWS credentials were found; run 'aws configure'"),
    ],
)
@pytest.mark.parametrize("kind", Kind)
def test_an_error_is_one_sentence_and_with_verbose_itself(kind, error, sentence, capsys):
    def work(_):
        raise error

    command = Command(lambda _: None, work, kind)
    assert command.execute(Namespace(verbose=False)) == 1
    assert capsys.readouterr().err.startswith(f"fruits: {sentence}")
    with pytest.raises(type(error)):
        command.execute(Namespace(verbose=True))
