"""The erasure of one photograph, between the runs of the rehearsal."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.end_to_end.emulated_cloud import EmulatedCloud, Finished, Version
from tests.end_to_end.node import Nodes, Run
from tests.spark.traces import Needles, thumbnails_of, traces

SUBMIT = ("submit", "--follow", "--interval-seconds", "1")
_ERASE = ("erase", "--on-cluster", "--interval-seconds", "1", "--path")


@dataclass(frozen=True)
class Held:
    """What raw and results hold: of the photograph, of the others, and in old versions."""

    traces: list[str]
    n_photographs: int
    n_unfinished_uploads: int
    features: dict[str, bytes]
    n_reduced: int
    old_versions: set[str]
    journals: set[str]


@dataclass(frozen=True)
class ErasedPhotograph:
    """What was seen of the erasure; ``erasure`` has the step that the node ran."""

    path: str
    digest: str
    before: Held
    erasure: Run
    after: Held
    certificates: list[dict[str, Any]]
    denied: dict[str, bool]
    run_after: Run
    uploaded_again: Finished
    keys_in_raw: set[str]


def erase_one(cloud: EmulatedCloud, nodes: Nodes, outputs: dict[str, str]) -> ErasedPhotograph:
    """Erase a photograph under the role that is there for it, run again, and upload it again."""
    raw, results = outputs["RawBucketName"], outputs["ResultsBucketName"]
    path, needles = _something_to_erase(cloud, raw, results)
    _leave_uploads_unfinished(cloud, {raw: f"images/{path}", results: "chain/features/half"})
    before = _held(cloud, raw, results, needles)
    eraser = cloud.environment_of(outputs["ErasureRoleArn"], "erasure-rehearsal")
    erasure = nodes.run(lambda: cloud.fruits(*_ERASE, path, environment=eraser), ["erase"])
    after = _held(cloud, raw, results, needles)
    certificates = [
        json.loads(each.content)
        for each in cloud.versions(results)
        if each.content is not None and each.key.startswith("chain/erasures/") and each.content
    ]
    return ErasedPhotograph(
        path=path,
        digest=needles.texts[1],
        before=before,
        erasure=erasure,
        after=after,
        certificates=certificates,
        denied=_denied(cloud, eraser, raw, results),
        run_after=nodes.run(lambda: cloud.fruits(*SUBMIT)),
        uploaded_again=cloud.fruits("upload", "--images", str(cloud.folder / "samples")),
        keys_in_raw=set(cloud.objects(raw)),
    )


def _something_to_erase(cloud: EmulatedCloud, raw: str, results: str) -> tuple[str, Needles]:
    """Return a photograph whose thumbnail the report shows, and all that is known of it."""
    s3 = cloud.client("s3")
    page = s3.get_object(Bucket=results, Key="chain/report/index.html")["Body"].read().decode()
    path, thumbnail = sorted(thumbnails_of(page).items())[0]
    photograph = s3.get_object(Bucket=raw, Key=f"images/{path}")["Body"].read()
    row = _features(cloud, results)[path]
    digest = hashlib.sha256(photograph).hexdigest()
    return path, Needles((path, digest, thumbnail), (np.frombuffer(row, np.float32),))


def _leave_uploads_unfinished(cloud: EmulatedCloud, keys: dict[str, str]) -> None:
    """Leave in each bucket what a writer that is killed leaves of a large object."""
    s3 = cloud.client("s3")
    for bucket, key in keys.items():
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)
        s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"half"
        )


def _held(cloud: EmulatedCloud, raw: str, results: str, needles: Needles) -> Held:
    photographs, made = cloud.versions(raw), cloud.versions(results)
    everything = {
        f"{index} {version.key}": version.content or b""
        for index, version in enumerate([*photographs, *made])
    }
    return Held(
        traces=traces(everything, needles),
        n_photographs=len(photographs),
        n_unfinished_uploads=sum(map(cloud.n_unfinished_uploads, (raw, results))),
        features=_features(cloud, results),
        n_reduced=cloud.table(results, "chain/reduced").num_rows,
        old_versions={version.key for version in made if _is_old(version)},
        journals={version.key for version in made if version.key.startswith("chain/_erasing/")},
    )


def _is_old(version: Version) -> bool:
    return version.content is None or not version.is_latest


def _features(cloud: EmulatedCloud, results: str) -> dict[str, bytes]:
    rows = cloud.table(results, "chain/features").select(["path", "features"]).to_pylist()
    return {row["path"]: np.array(row["features"], np.float32).tobytes() for row in rows}


def _denied(
    cloud: EmulatedCloud, eraser: dict[str, str], raw: str, results: str
) -> dict[str, bool]:
    image = "images/banana/any.jpg"
    return {
        "write a photograph": cloud.denied(
            "put_object", eraser, Bucket=raw, Key=image, Body=b""
        ),
        "delete outside the photographs": cloud.denied(
            "delete_object", eraser, Bucket=raw, Key="elsewhere/private.jpg", VersionId="1"
        ),
        "delete many outside the results": cloud.denied(
            "delete_objects", eraser, Bucket=results,
            Delete={"Objects": [{"Key": "elsewhere/table", "VersionId": "1"}]},
        ),
        "stop the keeping of versions": cloud.denied(
            "put_bucket_versioning", eraser, Bucket=raw,
            VersioningConfiguration={"Status": "Suspended"},
        ),
    }  # fmt: skip
