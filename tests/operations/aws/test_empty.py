"""`fruits empty`: nothing may be left, for CloudFormation deletes no bucket that holds objects."""

import io
import re
import sys
from collections import Counter

import pytest

from cdk_app.config import Environment
from operations import cli
from operations.aws import emptying
from operations.aws.emptying import empty_buckets
from operations.aws.stacks import data_stack
from spark_assets.errors import FruitsError
from spark_assets.removal import s3_versions
from tests.operations.aws.conftest import LOGS, RAW, RESULTS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def put(s3, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")


def n_left(s3, bucket: str) -> int:
    answer = s3.list_object_versions(Bucket=bucket)
    n_uploads = len(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()))
    return len(answer.get("Versions", ())) + len(answer.get("DeleteMarkers", ())) + n_uploads


class Bucket:
    """Answers as S3 does for one bucket, and takes down what is deleted.

    ``refuse`` returns the code for which a key is not deleted, or None.  moto refuses nothing.
    """

    def __init__(self, keys, *, refuse=lambda key: None):
        self.keys = list(keys)
        self.refuse = refuse
        self.n_requests = Counter()

    def list_multipart_uploads(self, **_options):
        return {}

    def get_paginator(self, _name):
        return self

    def paginate(self, **_options):
        keys = list(self.keys)
        for start in range(0, len(keys), 1000):
            versions = [{"Key": key, "VersionId": "1"} for key in keys[start : start + 1000]]
            yield {"Versions": versions}

    def delete_objects(self, Bucket, Delete):  # noqa: N803
        self.n_requests["many"] += 1
        errors = []
        for one in Delete["Objects"]:
            if code := self.refuse(one["Key"]):
                errors.append({**one, "Code": code, "Message": "it is so."})
            else:
                self.keys.remove(one["Key"])
        return {"Errors": errors}

    def delete_object(self, Bucket, Key, VersionId):  # noqa: N803
        self.n_requests["one"] += 1
        self.keys.remove(Key)


def test_every_version_marker_and_incomplete_upload_is_deleted(make_data_stack, s3, capsys):
    make_data_stack()
    keys = ["a//b.jpg", "é à.jpg", "a+b%20c#d&e<f>.jpg", "tab\t.jpg", "x" * 1000]
    for _ in range(2):
        put(s3, RAW, *keys)
    for key in ("a%20b+c.tif", "é.tif", "same.tif", "same.tif"):
        s3.create_multipart_upload(Bucket=RAW, Key=key)
    for _ in range(3):
        s3.delete_objects(Bucket=RAW, Delete={"Objects": [{"Key": key} for key in keys]})
    put(s3, RESULTS, "chain/1.parquet", "chain/1.parquet")
    put(s3, LOGS, "emr/1.gz")
    assert n_left(s3, RAW) == 10 + 15 + 4
    assert cli.main(["empty", "--yes"]) == 0
    assert [n_left(s3, bucket) for bucket in (RAW, RESULTS, LOGS)] == [0, 0, 0]
    assert capsys.readouterr().err.startswith("32 objects deleted, every version counted")


def test_a_key_that_xml_cannot_hold_is_deleted_by_itself():
    bucket = Bucket(["plain", "control\x01", "line\nbreak", "\ufffe"])
    assert empty_buckets(bucket, ["raw"]) == 4
    assert bucket.keys == []
    assert bucket.n_requests == {"one": 2, "many": 1}


def test_what_comes_during_the_work_is_deleted_too():
    class BucketWithLogs(Bucket):
        def delete_objects(self, **arguments):
            if self.n_requests["many"] == 0:
                self.keys.append("a log of this request")
            return super().delete_objects(**arguments)

    bucket = BucketWithLogs(["1.jpg"])
    assert empty_buckets(bucket, ["logs"]) == 2
    assert bucket.keys == []


def test_what_s3_refuses_is_told_after_all_else_is_deleted():
    bucket = Bucket(
        (f"{index}" for index in range(2500)),
        refuse=lambda key: "AccessDenied" if key[-3:] == "077" else None,
    )
    with pytest.raises(FruitsError) as caught:
        empty_buckets(bucket, ["raw"])
    assert bucket.keys == ["1077", "2077"]
    assert re.fullmatch(
        r"2 objects were not deleted \(2 AccessDenied\), first [12]077 in raw: it is so; "
        "ask for s3:DeleteObject and s3:DeleteObjectVersion, and give the same command again",
        str(caught.value),
    )


def test_a_refusal_in_one_bucket_does_not_spare_the_next():
    first, second = Bucket(["1"], refuse=lambda key: "AccessDenied"), Bucket(["2"])

    class Both(Bucket):
        def paginate(self, **options):
            return (first if options["Bucket"] == "first" else second).paginate()

        def delete_objects(self, **options):
            return (first if options["Bucket"] == "first" else second).delete_objects(**options)

    with pytest.raises(FruitsError, match="1 objects were not deleted"):
        empty_buckets(Both([]), ["first", "second"])
    assert (first.keys, second.keys) == (["1"], [])


def test_a_passing_failure_is_tried_again():
    n_tries = Counter()

    def busy_twice(key):
        n_tries[key] += 1
        return "SlowDown" if key == "2" and n_tries[key] < 3 else None

    bucket, waits = Bucket(["1", "2"], refuse=busy_twice), []
    assert empty_buckets(bucket, ["raw"], sleep=waits.append) == 2
    assert bucket.keys == []
    assert n_tries == {"1": 1, "2": 3}
    assert waits == [2, 4]


def test_a_failure_that_does_not_pass_is_told():
    bucket, waits = Bucket(["1"], refuse=lambda key: "InternalError"), []
    with pytest.raises(FruitsError, match="1 InternalError"):
        empty_buckets(bucket, ["raw"], sleep=waits.append)
    assert bucket.n_requests["many"] == s3_versions.N_TRIES
    assert waits == [2, 4, 8, 16]


def test_few_answers_are_held_at_a_time():
    """Bounded memory: the listing does not run ahead of the deletions."""
    n_ahead, most_ahead = 0, 0

    class Large(Bucket):
        def paginate(self, **_options):
            nonlocal n_ahead, most_ahead
            for page in super().paginate():
                n_ahead += 1
                most_ahead = max(most_ahead, n_ahead)
                yield page

        def delete_objects(self, **arguments):
            nonlocal n_ahead
            n_ahead -= 1
            return {}

    large = Large(f"{index}" for index in range(60_000))
    for _ in zip(emptying._empty(large, "raw", lambda _s: None), range(60), strict=False):
        pass
    assert n_ahead >= 0
    assert most_ahead <= 2 * emptying.N_BATCHES + 1


def test_a_bucket_that_is_gone_is_empty(make_data_stack, s3):
    make_data_stack()
    put(s3, RESULTS, "1")
    s3.delete_bucket(Bucket=RAW)
    assert cli.main(["empty", "--yes"]) == 0
    assert n_left(s3, RESULTS) == 0


def test_every_bucket_of_the_stack_is_emptied_those_with_logs_last(make_data_stack, s3):
    s3.create_bucket(
        Bucket="fruits-access", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    make_data_stack(AccessLogsBucketName="fruits-access")
    put(s3, "fruits-access", "1")
    names = data_stack(Environment.TEST).bucket_names
    assert names == (RAW, RESULTS, LOGS, "fruits-access")
    assert cli.main(["empty", "--yes"]) == 0
    assert n_left(s3, "fruits-access") == 0


def test_prod_is_refused_even_with_yes(make_data_stack, s3, capsys):
    make_data_stack("prod")
    put(s3, RAW, "1.jpg")
    assert cli.main(["empty", "--environment", "prod", "--yes"]) == 1
    assert (
        "the buckets of prod are kept, and no command of fruits empties them"
        in capsys.readouterr().err
    )
    assert n_left(s3, RAW) == 1


@pytest.mark.usefixtures("aws")
def test_nothing_deployed_is_nothing_to_empty(capsys):
    assert cli.main(["empty"]) == 0
    assert capsys.readouterr().err == (
        "nothing is deployed in the test environment, so there is nothing to empty\n"
    )


def test_without_a_terminal_nobody_said_yes(make_data_stack, s3, capsys, monkeypatch):
    make_data_stack()
    put(s3, RAW, "1.jpg")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert cli.main(["empty"]) == 1
    assert "no terminal for the confirmation; give --yes" in capsys.readouterr().err
    assert n_left(s3, RAW) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("\n", 1, 1), ("", 1, 1)])
def test_only_a_yes_deletes(answer, code, left, make_data_stack, s3, capsys, monkeypatch):
    make_data_stack()
    put(s3, RAW, "1.jpg")
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert cli.main(["empty"]) == code
    told = capsys.readouterr().err
    assert RAW in told
    assert ("nothing was deleted" in told) == (code == 1)
    assert n_left(s3, RAW) == left
