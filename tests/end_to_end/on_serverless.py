"""The part of the rehearsal on EMR Serverless: from its stack to an account without it."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from tests.end_to_end.emulated_cloud import EmulatedCloud, Finished
from tests.end_to_end.inventory import Inventory, take_inventory
from tests.end_to_end.node import Run
from tests.end_to_end.serverless_worker import ServerlessWorker

N_ADDED = 4
_LABEL = "serverless"
_FOLLOWED = ("--serverless", "--interval-seconds", "1")


@dataclass(frozen=True)
class RehearsedServerless:
    """All that was seen between the two commands of make.

    ``features`` are the paths of the photographs that were added, as the table of features has them
    after the run and after one of them was erased.
    """

    commands: dict[str, Finished]
    run: Run
    features: set[str]
    logs: set[str]
    erased_path: str
    erasure: Run
    certificates: list[dict[str, Any]]
    features_after_erasure: set[str]
    versions_of_erased: list[str]
    refused: Finished
    deployed: Inventory
    after: Inventory


def rehearse_serverless(
    cloud: EmulatedCloud, jars: Path, outputs: dict[str, str]
) -> RehearsedServerless:
    """Deploy, run over new photographs, erase one, and destroy under a run."""
    raw, results = outputs["RawBucketName"], outputs["ResultsBucketName"]
    paths = _add_photographs(cloud, raw)
    # moto knows no exports of other stacks in a change set.
    how = ("--exclusively", "--method=direct", "--require-approval", "never")
    deploy = ("deploy", "FruitsServerless", *how)
    commands = {"deploy": cloud.cdk(*deploy)}
    assert commands["deploy"].exit_code == 0, commands["deploy"].output
    deployed = take_inventory(cloud)
    stack = cloud.outputs("fruits-test-serverless")
    with ServerlessWorker(cloud, jars, stack) as worker:
        run = worker.run(lambda: cloud.fruits("submit", "--follow", *_FOLLOWED))
        features = _features(cloud, results)
        commands["receipt"] = cloud.fruits("receipt", "--serverless")
        eraser = cloud.environment_of(outputs["ErasureRoleArn"], "erasure-serverless")
        erase = ("erase", *_FOLLOWED, "--path", paths[0])
        known = _certificates(cloud, results)
        erasure = worker.run(lambda: cloud.fruits(*erase, environment=eraser))
        made = _certificates(cloud, results)
        # What the bucket for logs holds, before a run is stopped whose log may come or not.
        logs = {key for key in cloud.objects(outputs["LogsBucketName"]) if "/jobs/" in key}
        after_erasure = _features(cloud, results)
        commands["submit"] = cloud.fruits("submit", "--serverless")
        refused = cloud.make("destroy", "STACK=serverless")
        commands["destroy"] = cloud.make("destroy", "STACK=serverless", "STOP=yes")
    return RehearsedServerless(
        commands=commands,
        run=run,
        features=features,
        logs=logs,
        erased_path=paths[0],
        erasure=erasure,
        certificates=[content for key, content in made.items() if key not in known],
        features_after_erasure=after_erasure,
        versions_of_erased=[v.key for v in cloud.versions(raw) if v.key == f"images/{paths[0]}"],
        refused=refused,
        deployed=deployed,
        after=take_inventory(cloud),
    )


def _add_photographs(cloud: EmulatedCloud, raw: str) -> list[str]:
    """Put mirrored photographs into the bucket, which nothing has seen; return their paths."""
    files = sorted((cloud.folder / "samples").glob("*/IMG_*.jpg"))[:N_ADDED]
    paths = [f"{_LABEL}/{index}.jpg" for index in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        mirrored = io.BytesIO()
        with Image.open(file) as photograph:
            ImageOps.mirror(photograph).save(mirrored, "JPEG")
        body = mirrored.getvalue()
        cloud.client("s3").put_object(Bucket=raw, Key=f"images/{path}", Body=body)
    return paths


def _features(cloud: EmulatedCloud, results: str) -> set[str]:
    paths = cloud.table(results, "chain/features").column("path").to_pylist()
    return {path for path in paths if path.startswith(f"{_LABEL}/")}


def _certificates(cloud: EmulatedCloud, results: str) -> dict[str, dict[str, Any]]:
    s3 = cloud.client("s3")
    return {
        key: json.loads(s3.get_object(Bucket=results, Key=key)["Body"].read())
        for key in cloud.objects(results)
        if key.startswith("chain/erasures/") and key.endswith(".json")
    }
