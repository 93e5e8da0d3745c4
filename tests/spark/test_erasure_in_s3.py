"""An erasure in versioned buckets: nothing is left in any version, and the others stay."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from operations import cli
from spark_assets.erasure.conclude import conclude
from spark_assets.erasure.erasure_request import ErasureRequest
from spark_assets.erasure.plan_erasure import begin, plan_erasure
from spark_assets.errors import FruitsError
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.erasure_denylist import read_denylist
from spark_assets.output.erasure_journal import pending_erasures
from spark_assets.output.findings_table import Finding, FindingKind, findings_files
from spark_assets.output.lease import check_lease, hold_lease
from spark_assets.output.manifest import Counts
from spark_assets.output.output import Output
from spark_assets.output.pca_model import pca_record
from spark_assets.removal import remove_objects
from spark_assets.storage.locations import parse_location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.s3 import s3_client
from spark_assets.storage.schemas import FEATURES, REJECTED
from tests.made_report import made_report
from tests.recognition.test_audit_record import record
from tests.spark.traces import Needles, traces

RAW, RESULTS = "raw", "results"
OUTPUT = f"s3://{RESULTS}/chain"
GONE, KEPT, BROKEN = "person 1/Pomme é+b%20.jpg", "person 2/1.jpg", "person 2/broken.jpg"
PATHS = (GONE, KEPT, "person 2/2.jpg", "person 3/1.jpg")
RUN = "20260101T000000Z-aaaaaa"
VECTORS = np.random.default_rng(0).random((len(PATHS), 5), np.float32)


def content_of(path: str) -> bytes:
    return f"photograph {path}".encode()


def needles(path: str) -> Needles:
    digest = hashlib.sha256(content_of(path)).hexdigest()
    return Needles((path, digest), (VECTORS[PATHS.index(path)],))


def files_of_a_run() -> dict[str, bytes]:
    """Return what a run and an audit leave, by path."""
    held = {
        "label": "person",
        "size_bytes": 20,
        "modified_at": datetime(2026, 1, 1, tzinfo=UTC),
        "run_id": RUN,
    }
    features = [
        {
            **held,
            "path": path,
            "content_sha256": hashlib.sha256(content_of(path)).hexdigest(),
            "width": 1,
            "height": 1,
            "features": vector,
        }
        for path, vector in zip(PATHS, VECTORS, strict=True)
    ]
    rejected = [{**held, "path": BROKEN, "reason": "empty", "detail": "0 bytes"}]
    run = made_report().latest_run
    manifest = dataclasses.replace(
        run,
        run_id=RUN,
        images_uri=f"s3://{RAW}/images",
        counts=Counts(5, 0, 4, 1, {"empty": 1}),
        options={**run.options, "limits": dataclasses.asdict(ImageLimits())},
    )
    found = [Finding(KEPT, "person", FindingKind.DUPLICATE, 1.0, None, GONE, "a copy")]
    return {
        "features/1.parquet": to_parquet(pa.Table.from_pylist(features, FEATURES)),
        "rejected/1.parquet": to_parquet(pa.Table.from_pylist(rejected, REJECTED)),
        f"runs/{RUN}.json": json.dumps(manifest.to_json()).encode(),
        **{f"findings/{name}": file for name, file in findings_files(record(), found).items()},
    }


@pytest.fixture
def client(emulated_aws):
    client = s3_client(parse_location(OUTPUT).s3)
    for bucket in (RAW, RESULTS):
        client.create_bucket(Bucket=bucket)
        versioning = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    return client


@pytest.fixture
def output(client) -> Output:
    """Make an output of one run, with versions of all that is in it."""
    for _ in range(2):
        for path in PATHS:
            client.put_object(Bucket=RAW, Key=f"images/{path}", Body=content_of(path))
        for path, content in files_of_a_run().items():
            client.put_object(Bucket=RESULTS, Key=f"chain/{path}", Body=content)
    assert cli.main(["reduce", "--output", OUTPUT, "--n-components", "2"]) == 0
    for _ in range(2):
        assert cli.main(["report", "--output", OUTPUT]) == 0
    return Output.open(parse_location(OUTPUT))


def everything(client) -> dict[str, bytes]:
    """Return every version of every object, by its place."""
    return {
        f"{bucket}/{one['Key']} {one['VersionId']}": client.get_object(
            Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"]
        )["Body"].read()
        for bucket in (RAW, RESULTS)
        for one in client.list_object_versions(Bucket=bucket).get("Versions", ())
    }


def erase(*words: str) -> int:
    return cli.main(["erase", "--output", OUTPUT, *words])


def test_nothing_is_left_in_any_version_and_the_others_stay(output, client):
    gone, model_id = needles(GONE), pca_record(output).model_id
    before = " ".join(traces(everything(client), gone))
    for folder in ("features", "reduced", "findings", "report", "_staging"):
        assert f"{RESULTS}/chain/{folder}" in before
    assert erase("--path", GONE) == 0
    left = everything(client)
    assert traces(left, gone) == []
    of_kept = " ".join(traces(left, needles(KEPT)))
    for folder in ("features", "reduced", "report"):
        assert f"{RESULTS}/chain/{folder}" in of_kept
    assert pca_record(output).model_id != model_id
    assert read_denylist(output).holds(gone.texts[1])
    assert pending_erasures(output) == []
    (certificate,) = (json.loads(left[name]) for name in left if "/erasures/" in name)
    assert (certificate["n_images"], certificate["held"]["versions of photographs"]) == (1, 2)
    assert not any("/_erasing/" in name for name in left)


def test_a_lease_that_was_given_up_can_be_taken_again(client):
    """Its object is a delete marker then, over versions of it."""
    location = parse_location(OUTPUT)
    for _ in range(3):
        with hold_lease(location, purpose="fruits erase", wait=False):
            check_lease(location)


def test_what_is_left_is_told_and_can_be_finished(output, client):
    planned = plan_erasure(output, [], ErasureRequest(paths=frozenset([GONE])), with_copies=False)
    begin(output, planned)
    with pytest.raises(FruitsError, match="the erasure is not complete; remaining: 1 rows"):
        conclude(output, planned.erasure, [], outside_reach=())
    assert erase("--finish") == 0
    assert traces(everything(client), needles(GONE)) == []


class Death(BaseException):
    """What a process does after it has died, which is nothing."""


def test_until_an_erasure_is_forgotten_in_every_version_it_is_not_finished(
    output, client, monkeypatch
):
    """A journal that was overwritten or deleted is an old version, with names in it."""
    real = remove_objects.delete_versions
    words = ["--path", GONE]
    for n_alive in range(10):
        n_left = n_alive

        def dies(client, bucket, versions):
            nonlocal n_left
            if any("/_erasing/" in version["Key"] for version in versions):
                if not n_left:
                    raise Death
                n_left -= 1
            return real(client, bucket, versions)

        with monkeypatch.context() as patch:
            patch.setattr(remove_objects, "delete_versions", dies)
            try:
                assert erase(*words) == 0
                break
            except Death:
                assert len(pending_erasures(output)) == 1
                words = ["--finish"]
    assert n_alive > 1
    assert traces(everything(client), needles(GONE)) == []
