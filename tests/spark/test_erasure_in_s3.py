"""The parts of an erasure that need no Spark, on versioned buckets: find, hide, remove, certify."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.erasure.begin import begin, plan_erasure
from spark_assets.erasure.conclude import conclude, remove_photographs
from spark_assets.erasure.selection import Asked
from spark_assets.erasure.tables import remove_rows
from spark_assets.errors import FruitsError
from spark_assets.output.artefacts import (
    RegisteredArtefact,
    register_artefact,
    registered_artefacts,
    remove_artefact,
)
from spark_assets.output.erased import load_erased
from spark_assets.output.erasing import hidden_paths, note_erasure, pending_erasures
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease, hold_lease
from spark_assets.output.manifest import Counts
from spark_assets.output.orphans import find_orphans
from spark_assets.storage.files import delete_folder, write_bytes, write_json
from spark_assets.storage.locations import parse_location
from spark_assets.storage.s3 import s3_client
from spark_assets.storage.schemas import CHANGES, FEATURES, REDUCED
from tests.made_report import made_report
from tests.spark.traces import Needles, traces

RAW, RESULTS = "raw", "results"
GONE, KEPT = "person 1/Pomme é+b%20.jpg", "person 2/1.jpg"
PATHS = (GONE, KEPT)
RUN, MODEL = "20260101T000000Z-aaaaaa", "20260101T000001Z-bbbbbb"


def content_of(path: str) -> bytes:
    return f"photograph {path}".encode()


def digest_of(path: str) -> str:
    return hashlib.sha256(content_of(path)).hexdigest()


@pytest.fixture
def layout(emulated_aws) -> OutputLayout:
    return OutputLayout(parse_location(f"s3://{RESULTS}/chain"))


@pytest.fixture
def client(layout):
    client = s3_client(layout.output.s3)
    for bucket in (RAW, RESULTS):
        client.create_bucket(Bucket=bucket)
        versioning = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    for path in PATHS:
        for _ in range(2):
            client.put_object(Bucket=RAW, Key=f"images/{path}", Body=content_of(path))
    return client


@pytest.fixture
def output(layout, client) -> OutputLayout:
    """Make an output of one run: what the erasure asks of it, twice over, so that versions stay."""
    for _ in range(2):
        table = {
            "path": list(PATHS),
            "label": [path.partition("/")[0] for path in PATHS],
            "content_sha256": [digest_of(path) for path in PATHS],
            "size_bytes": [20, 20],
            "modified_at": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
        }
        features = {**table, "width": [1, 1], "height": [1, 1], "features": [[0.5, 1.5]] * 2}
        changes = {**table, "outcome": ["features"] * 2, "reason": [None, None]}
        _write(layout.features(RUN), pa.Table.from_pydict(features, FEATURES))
        _write(layout.changes(RUN), pa.Table.from_pydict(changes, CHANGES))
    write_json(layout.pca_model(MODEL).child("model.json"), _record())
    reduced = {"path": list(PATHS), "label": ["a"] * 2, "pca_features": [[0.5]] * 2}
    folder = layout.reduced(MODEL).child(f"run_id={RUN}")
    _write(folder, pa.Table.from_pydict(reduced, REDUCED))
    register_artefact(layout, RegisteredArtefact("classifier", "models/classifier", [RUN]))
    write_bytes(layout.output.child("models", "classifier", "weights"), GONE.encode())
    run = made_report().latest_run
    counts = Counts(2, 0, 2, 0, {})
    manifest = dataclasses.replace(
        run,
        run_id=RUN,
        images_uri=f"s3://{RAW}/images",
        counts=counts,
        options={**run.options, "overwrite": False},
    )
    write_json(layout.manifest(RUN), manifest.to_json())
    return layout


def _write(folder, table) -> None:
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    write_bytes(folder.child("part-0.parquet"), sink.getvalue().to_pybytes())


def _record() -> dict:
    return {
        "model_id": MODEL, "fitted_here": True, "fitted_model_id": MODEL, "fitted_on": [RUN],
        "runs": [RUN], "network_sha256": "0" * 64, "n_components": 1, "n_components_asked": "1",
        "n_samples": 2, "n_features": 2, "n_reduced": 2, "explained_variance": [1.0],
        "explained_variance_ratio": [1.0], "seconds_by_stage": {},
    }  # fmt: skip


def everything(client) -> dict[str, bytes]:
    """Return every version of every object, by its place."""
    return {
        f"{bucket}/{one['Key']} {one['VersionId']}": client.get_object(
            Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"]
        )["Body"].read()
        for bucket in (RAW, RESULTS)
        for one in client.list_object_versions(Bucket=bucket).get("Versions", ())
    }


def rewrite(layout: OutputLayout, erasure) -> None:
    """Do what Spark is not needed for of what comes between."""
    for folder in (layout.features(RUN), layout.changes(RUN)):
        assert remove_rows(folder, erasure.paths).n_rows == 1
    for model_id in erasure.model_ids:
        delete_folder(layout.reduced(model_id))
        delete_folder(layout.pca_model(model_id))
    for artefact in registered_artefacts(layout):
        remove_artefact(layout, artefact)
    note_erasure(layout, dataclasses.replace(erasure, is_rewritten=True))


def test_nothing_is_left_in_any_version_and_the_others_stay(output, client):
    gone = Needles((GONE, digest_of(GONE)))
    assert traces(everything(client), gone)
    with hold_lease(output, purpose="fruits erase", wait=False):
        planned = plan_erasure(output, [], Asked(paths=frozenset([GONE])), with_copies=False)
        assert planned.erasure.held["versions of photographs"] == 2
        assert planned.erasure.content_sha256 == [digest_of(GONE)]
        assert planned.erasure.model_ids == [MODEL]
        begin(output, planned)
        assert hidden_paths(output) == [GONE]
        (erasure,) = pending_erasures(output)
        removals = remove_photographs(erasure)
        rewrite(output, erasure)
        certificate = conclude(output, erasure, removals, outside_reach=())
        check_lease(output)
    left = everything(client)
    assert traces(left, gone) == []
    assert traces(left, Needles((KEPT, digest_of(KEPT))))
    assert certificate.n_images == 1
    assert load_erased(output).holds(digest_of(GONE))
    assert pending_erasures(output) == []
    assert find_orphans(output) == []


def test_a_lease_that_was_given_up_can_be_taken_again(output, client):
    """Its object is a delete marker then, over versions of it."""
    for _ in range(3):
        with hold_lease(output, purpose="fruits erase", wait=False):
            check_lease(output)


def test_what_is_left_is_told_and_the_images_stay_hidden(output, client):
    planned = plan_erasure(output, [], Asked(paths=frozenset([GONE])), with_copies=False)
    begin(output, planned)
    with pytest.raises(FruitsError, match="the erasure is not complete, for this is left: 1 rows"):
        conclude(output, planned.erasure, [], outside_reach=())
    assert hidden_paths(output) == [GONE]


def test_a_certificate_names_nobody(output, client):
    planned = plan_erasure(output, [], Asked(paths=frozenset([GONE])), with_copies=False)
    begin(output, planned)
    removals = remove_photographs(planned.erasure)
    rewrite(output, planned.erasure)
    certificate = conclude(output, planned.erasure, removals, outside_reach=())
    text = json.dumps(certificate.to_json())
    assert GONE not in text
    assert digest_of(GONE) not in text
