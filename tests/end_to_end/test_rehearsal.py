"""The rehearsal: deploy, upload, bootstrap, three steps twice, destroy, against an emulated AWS.

Real are the CDK command line, the templates, the bootstrap script and the wheels it installs, the
Spark steps, Hadoop's S3 connector and the S3 protocol. Emulated (moto) are CloudFormation, IAM and
S3 themselves; conditions of policies are not checked there, nor is any network.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.fs
import pyarrow.parquet
import pytest

from operations.aws.clusters import Step
from operations.aws.step_logs import last_lines
from sample_photographs.folder import SampleSet, draw_samples
from spark_assets.features.feature_model import save_feature_model
from spark_assets.locations import parse_location
from tests.conftest import skip_or_fail
from tests.end_to_end.emulated_cloud import (
    CLUSTER_ID,
    IS_ARM,
    ROOT,
    EmulatedCloud,
    Finished,
    Node,
)
from tests.end_to_end.s3_connector import s3_connector
from tests.end_to_end.synthesized import ACCOUNT, REGION
from tests.moto_server import moto_server

pytestmark = pytest.mark.slow
STEPS = ("featurize", "reduce", "report")
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


@dataclass(frozen=True)
class Rehearsed:
    """All that was seen from the first command to the last."""

    drawn: SampleSet
    outputs: dict[str, str]
    uploads: list[Finished]
    bootstrap: Finished
    on_no_images: Finished
    first: dict[str, Finished]
    second: dict[str, Finished]
    last_words: tuple[str, ...] | None
    logs: set[str]
    results: dict[str, int]
    results_after_second: dict[str, int]
    report: str
    manifest: dict[str, object]
    n_reduced: int
    denied: dict[str, bool]
    emptied: Finished
    left: dict[str, set[str]]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, seeded_model) -> Iterator[Rehearsed]:
    jars = s3_connector()
    _make_wheelhouse()
    folder = tmp_path_factory.mktemp("rehearsal")
    drawn = draw_samples(folder / "samples", images_per_label=8)
    save_feature_model(seeded_model, parse_location(str(folder / "model")))
    with moto_server(folder / "moto.log") as endpoint:
        cloud = EmulatedCloud(endpoint, folder, folder / "model")
        yield _rehearse(cloud, jars, drawn)


def _make_wheelhouse() -> None:
    architecture = "arm64" if IS_ARM else "x86_64"
    done = subprocess.run(
        ["make", "wheelhouse", f"ARCHITECTURE={architecture}"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        skip_or_fail(f"the wheels of a node cannot be had: {done.stderr[-500:]}")


def _rehearse(cloud: EmulatedCloud, jars: Path, drawn: SampleSet) -> Rehearsed:
    cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")
    # moto forgets the outputs of a stack that came by a change set.
    cloud.cdk("deploy", "FruitsData", "--method=direct", "--require-approval=never")
    cloud.cdk("publish-assets", "FruitsCompute", "--unstable=publish-assets")
    outputs = cloud.data_outputs()
    raw, results, logs = (outputs[f"{name}BucketName"] for name in ("Raw", "Results", "Logs"))
    s3 = cloud.client("s3")
    s3.put_object(Bucket=raw, Key="elsewhere/private.jpg", Body=b"not for the chain")
    node = Node(cloud, jars)

    cloud.check_permissions(True)
    bootstrap = node.bootstrap()
    on_no_images = node.run_step("featurize")
    cloud.check_permissions(False)
    failed_log = _last_words(cloud, "featurize")
    uploads = [cloud.fruits("upload", "--images", str(cloud.folder / "samples")) for _ in range(2)]
    cloud.check_permissions(True)
    first = {name: node.run_step(name) for name in STEPS}
    cloud.check_permissions(False)
    results_after_first = cloud.objects(results)
    cloud.check_permissions(True)
    second = {name: node.run_step(name) for name in STEPS}
    denied = _denied(node, raw, results, logs)
    cloud.check_permissions(False)

    report = s3.get_object(Bucket=results, Key="chain/report/index.html")["Body"].read().decode()
    (manifest,) = [k for k in results_after_first if k.startswith("chain/manifests/")]
    seen = Rehearsed(
        drawn=drawn,
        outputs=outputs,
        uploads=uploads,
        bootstrap=bootstrap,
        on_no_images=on_no_images,
        first=first,
        second=second,
        last_words=failed_log,
        logs={key for key in cloud.objects(logs) if key.startswith("emr/")},
        results=results_after_first,
        results_after_second=cloud.objects(results),
        report=report,
        manifest=json.load(s3.get_object(Bucket=results, Key=manifest)["Body"]),
        n_reduced=_n_reduced(cloud, results, results_after_first),
        denied=denied,
        emptied=cloud.fruits("empty", "--environment", "test", "--yes"),
        left={},
    )
    cloud.cdk("destroy", "FruitsData", "--force")
    seen.left.update(_left(cloud, outputs))
    return seen


def _last_words(cloud: EmulatedCloud, name: str) -> tuple[str, ...] | None:
    """Return what ``fruits status`` would show of a step that failed."""
    now = datetime.now(UTC)
    step = Step(f"s-{name}", name, "FAILED", "", started_at=now, ended_at=now)
    uri = f"s3://{cloud.data_outputs()['LogsBucketName']}/emr/"
    return last_lines(cloud.client("s3"), uri, CLUSTER_ID, step, wait_s=0).lines


def _n_reduced(cloud: EmulatedCloud, bucket: str, keys: dict[str, int]) -> int:
    filesystem = pyarrow.fs.S3FileSystem(
        access_key=cloud.environment["AWS_ACCESS_KEY_ID"],
        secret_key=cloud.environment["AWS_SECRET_ACCESS_KEY"],
        region=REGION,
        endpoint_override=cloud.endpoint.removeprefix("http://"),
        scheme="http",
    )
    tables = [k for k in keys if k.startswith("chain/reduced/") and k.endswith(".parquet")]
    return sum(
        pyarrow.parquet.read_table(f"{bucket}/{key}", filesystem=filesystem, partitioning=None)
        .num_rows
        for key in tables
    )  # fmt: skip


def _denied(node: Node, raw: str, results: str, logs: str) -> dict[str, bool]:
    image = "images/banana/any.jpg"
    return {
        "write a photograph": node.denied("put_object", Bucket=raw, Key=image, Body=b""),
        "delete a photograph": node.denied("delete_object", Bucket=raw, Key=image),
        "read outside the photographs": node.denied(
            "get_object", Bucket=raw, Key="elsewhere/private.jpg"
        ),
        "write outside the chain": node.denied(
            "put_object", Bucket=results, Key="elsewhere/table", Body=b""
        ),
        "read the logs": node.denied(
            "get_object", Bucket=logs, Key=f"emr/{CLUSTER_ID}/steps/s-report/stdout.gz"
        ),
        "write an asset": node.denied("put_object", Bucket=ASSETS, Key="asset.py", Body=b""),
    }


def _left(cloud: EmulatedCloud, outputs: dict[str, str]) -> dict[str, set[str]]:
    """Return what is left of the stack: by name, for moto makes others when the CDK looks back."""
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    buckets = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    keys = {key["KeyArn"] for key in cloud.client("kms").list_keys()["Keys"]}
    return {
        "stacks": {stack["StackName"] for stack in stacks} - {"CDKToolkit"},
        "buckets": buckets & set(outputs.values()),
        "keys": keys & set(outputs.values()),
    }


def test_the_bootstrap_action_installs_the_wheels_under_the_role_of_a_node(rehearsed):
    assert rehearsed.bootstrap.exit_code == 0, rehearsed.bootstrap.stderr


def test_an_empty_raw_bucket_fails_the_first_step_with_a_sentence(rehearsed):
    assert rehearsed.on_no_images.exit_code == 1
    sentence = f"fruits: there are no images under {rehearsed.outputs['ImagesUri']}"
    assert sentence in rehearsed.on_no_images.stdout
    assert "Traceback" not in rehearsed.on_no_images.stdout


def test_the_reason_of_a_failure_is_read_from_the_log_bucket(rehearsed):
    (words,) = rehearsed.last_words
    assert words.startswith("fruits: there are no images under")


def test_every_step_leaves_its_logs_in_the_log_bucket(rehearsed):
    assert rehearsed.logs == {
        f"emr/{CLUSTER_ID}/steps/s-{step}/{name}.gz"
        for step in STEPS
        for name in ("stdout", "stderr")
    }


def test_photographs_go_up_once(rehearsed):
    n_files = rehearsed.drawn.n_images
    first, second = rehearsed.uploads
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"{n_files} images = {n_files} uploaded + 0 unchanged" in first.stderr
    assert f"{n_files} images = 0 uploaded + {n_files} unchanged" in second.stderr


def test_the_three_steps_succeed(rehearsed):
    for name, done in rehearsed.first.items():
        assert done.exit_code == 0, f"{name}: {done.stdout}{done.stderr}"


def test_the_counts_of_a_run_add_up(rehearsed):
    counts = rehearsed.manifest["counts"]
    assert counts["n_images"] == rehearsed.drawn.n_images
    assert counts["n_rejected"] == rehearsed.drawn.n_broken
    assert counts["n_features"] == counts["n_images"] - counts["n_rejected"]
    assert rehearsed.n_reduced == counts["n_features"]


def test_tables_manifest_model_and_report_are_in_the_results_bucket(rehearsed):
    folders = {key.split("/")[1] for key in rehearsed.results if key.count("/") > 1}
    assert folders == {
        "feature_model", "features", "manifests", "pca_model", "reduced", "rejected", "report",
    }  # fmt: skip
    assert not [key for key in rehearsed.results if "_staging" in key or "_temporary" in key]


def test_the_report_is_of_this_run(rehearsed):
    assert rehearsed.manifest["run_id"] in rehearsed.report
    assert rehearsed.outputs["ImagesUri"] in rehearsed.report


def test_a_second_run_finds_nothing_new_and_rewrites_nothing(rehearsed):
    for name, done in rehearsed.second.items():
        assert done.exit_code == 0, f"{name}: {done.stdout}{done.stderr}"
    n_images = rehearsed.drawn.n_images
    assert f"nothing new: all {n_images} images" in rehearsed.second["featurize"].stdout
    tables = {k: v for k, v in rehearsed.results.items() if "/report/" not in k}
    after = {k: v for k, v in rehearsed.results_after_second.items() if "/report/" not in k}
    assert after == tables


@pytest.mark.parametrize(
    "deed",
    [
        "write a photograph",
        "delete a photograph",
        "read outside the photographs",
        "write outside the chain",
        "read the logs",
        "write an asset",
    ],
)
def test_the_role_of_a_node_is_refused_to(rehearsed, deed):
    assert rehearsed.denied[deed]


def test_nothing_is_left_after_destroy(rehearsed):
    assert rehearsed.emptied.exit_code == 0, rehearsed.emptied.stderr
    assert rehearsed.left == {"stacks": set(), "buckets": set(), "keys": set()}
    # The names that were looked for: those of three buckets and of a key.
    names = " ".join(rehearsed.outputs.values())
    assert names.count("storageraw") >= 1
    assert names.count(":key/") == 1
