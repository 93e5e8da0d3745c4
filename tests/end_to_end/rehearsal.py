"""The rehearsal: the commands of an operator, from an empty account to an empty account."""

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_photographs.sample_folder import SampleSet
from tests.emulated_aws.account import ACCOUNT, REGION
from tests.end_to_end.emulated_cloud import ROOT, EmulatedCloud, Finished
from tests.end_to_end.erasing import SUBMIT, ErasedPhotograph, erase_one
from tests.end_to_end.inventory import Inventory, take_inventory
from tests.end_to_end.node import Node, Nodes, Run
from tests.end_to_end.notebooks import ExecutedNotebook, execute, failing_notebook
from tests.end_to_end.on_serverless import RehearsedServerless, rehearse_serverless
from tests.end_to_end.rights import Judged, read_judged

_ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
_PRIVATE = "elsewhere/private.jpg"


@dataclass(frozen=True)
class Rehearsed:
    """All that was seen from the first command to the last."""

    drawn: SampleSet
    preflight_of_a_new_account: Finished
    outputs: dict[str, str]
    cluster_id: str
    commands: dict[str, Finished]
    bootstraps: list[Finished]
    first: Run
    second: Run
    walkthrough: ExecutedNotebook
    failing: ExecutedNotebook
    status_of_failing: Finished
    erased: ErasedPhotograph
    on_serverless: RehearsedServerless
    n_held: int
    on_no_images: Run
    step_ids: set[str]
    logs: set[str]
    event_logs: set[str]
    results: dict[str, int]
    results_after_second: dict[str, int]
    report: str
    linked: str
    manifest: dict[str, Any]
    n_reduced: int
    denied: dict[str, bool]
    judged: Judged
    before: Inventory
    deployed: Inventory
    after_compute: Inventory
    after: Inventory


def rehearse(cloud: EmulatedCloud, jars: Path, drawn: SampleSet) -> Rehearsed:
    """Give every command, and look at the account between them."""
    photographs = str(cloud.folder / "samples")
    preflight_of_a_new_account = cloud.fruits("preflight", *cloud.cdk_options)
    commands = {name: cloud.fruits(name, *cloud.cdk_options) for name in ("bootstrap", "preflight")}
    before = take_inventory(cloud)
    with Nodes(cloud, jars) as nodes:
        first = nodes.run(lambda: cloud.make("deploy", f"IMAGES={photographs}"))
        commands["deploy"] = first.followed
        assert first.followed.exit_code == 0, first.followed.output
        deployed = take_inventory(cloud)
        outputs = cloud.outputs("fruits-test-data")
        cluster_id = cloud.outputs("fruits-test-compute")["ClusterId"]
        raw, results, logs = (outputs[f"{name}BucketName"] for name in ("Raw", "Results", "Logs"))
        n_reduced = cloud.table(results, "chain/reduced").num_rows
        results_after_first = cloud.objects(results)
        commands["upload again"] = cloud.fruits("upload", "--images", photographs)
        second = nodes.run(lambda: cloud.fruits(*SUBMIT))
        results_after_second = cloud.objects(results)
        walkthrough = execute(
            cloud, nodes, results, ROOT / "docs" / "tutorial" / "walkthrough.ipynb"
        )
        failing = execute(cloud, nodes, results, failing_notebook(cloud.folder))
        status_of_failing = cloud.fruits("status", "--interval-seconds", "1")
        report = _content(cloud, results, "chain/report/index.html")
        commands["link"] = cloud.fruits("link")
        with urllib.request.urlopen(commands["link"].stdout.strip()) as answer:
            linked = answer.read()
        (manifest,) = [k for k in results_after_first if k.startswith("chain/runs/")]
        content = _content(cloud, results, manifest)
        erased = erase_one(cloud, nodes, outputs)
        commands["receipt"] = cloud.fruits("receipt")
        on_serverless = rehearse_serverless(cloud, jars, outputs)
        n_held = sum(cloud.table(results, f"chain/{n}").num_rows for n in ("features", "rejected"))
        _take_photographs_away(cloud, raw)
        on_no_images = nodes.run(lambda: cloud.fruits(*SUBMIT))
        assert nodes.node is not None
        denied = _denied(nodes.node, outputs, next(iter(nodes.steps)))

        event_logs = {key for key in cloud.objects(logs) if key.startswith("spark-events/")}
        logged = {key for key in cloud.objects(logs) if key.startswith(f"emr/{cluster_id}/")}

        commands["destroy"] = cloud.make("destroy")
        after_compute = take_inventory(cloud)
        commands["empty"] = cloud.fruits("empty", "--yes")
        plain = ("destroy", "FruitsData", "--exclusively", "--force")
        commands["cdk destroy"] = cloud.cdk(*plain)
        return Rehearsed(
            drawn=drawn,
            preflight_of_a_new_account=preflight_of_a_new_account,
            outputs=outputs,
            cluster_id=cluster_id,
            commands=commands,
            bootstraps=nodes.bootstraps,
            first=first,
            second=second,
            walkthrough=walkthrough,
            failing=failing,
            status_of_failing=status_of_failing,
            erased=erased,
            on_serverless=on_serverless,
            n_held=n_held,
            on_no_images=on_no_images,
            step_ids=set(nodes.steps),
            logs=logged,
            event_logs=event_logs,
            results=results_after_first,
            results_after_second=results_after_second,
            report=report.decode(),
            linked=linked.decode(),
            manifest=json.loads(content),
            n_reduced=n_reduced,
            denied=denied,
            judged=read_judged(cloud.endpoint),
            before=before,
            deployed=deployed,
            after_compute=after_compute,
            after=take_inventory(cloud),
        )


def _content(cloud: EmulatedCloud, bucket: str, key: str) -> bytes:
    content: bytes = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def _take_photographs_away(cloud: EmulatedCloud, raw: str) -> None:
    """Leave in the bucket what is not for the chain."""
    s3 = cloud.client("s3")
    for key in cloud.objects(raw):
        s3.delete_object(Bucket=raw, Key=key)
    s3.put_object(Bucket=raw, Key=_PRIVATE, Body=b"not for the chain")


def _denied(node: Node, outputs: dict[str, str], step_id: str) -> dict[str, bool]:
    raw, results, logs = (outputs[f"{name}BucketName"] for name in ("Raw", "Results", "Logs"))
    image = "images/banana/any.jpg"
    return {
        "write a photograph": node.denied("put_object", Bucket=raw, Key=image, Body=b""),
        "delete a photograph": node.denied("delete_object", Bucket=raw, Key=image),
        "read outside the photographs": node.denied("get_object", Bucket=raw, Key=_PRIVATE),
        "write outside the chain": node.denied(
            "put_object", Bucket=results, Key="elsewhere/table", Body=b""
        ),
        "read the logs": node.denied(
            "get_object", Bucket=logs, Key=f"emr/{node.cluster_id}/steps/{step_id}/stdout.gz"
        ),
        "write an asset": node.denied("put_object", Bucket=_ASSETS, Key="asset.py", Body=b""),
    }
