"""`fruits receipt`, and the nodes behind it: groups are moto's, fleets are a script.

moto's EMR has no fleets, and ends no node.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cdk_app.config import Environment
from operations import cli
from operations.aws.clients import aws_client
from operations.aws.cluster_nodes import read_cluster
from operations.aws.max_cost import (
    check_max_cost,
    estimate_on_cluster,
    estimate_on_serverless,
)
from operations.aws.stacks import data_stack
from operations.costs.run_costs import Work
from spark_assets.errors import FruitsError
from spark_assets.output.cost_receipt import Receipt
from spark_assets.output.manifest import Counts
from spark_assets.output.output import Output
from spark_assets.output.receipt_files import newest_receipt, write_receipt
from spark_assets.storage.locations import parse_location
from tests.made_report import made_receipt, made_report
from tests.operations.aws.conftest import RAW, RESULTS

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
GROUPS = [
    {"InstanceRole": "MASTER", "InstanceType": "m7g.xlarge", "InstanceCount": 1},
    {"InstanceRole": "CORE", "InstanceType": "m7g.xlarge", "InstanceCount": 1},
    {
        "InstanceRole": "TASK",
        "InstanceType": "m6g.xlarge",
        "InstanceCount": 2,
        "Market": "SPOT",
        "BidPrice": "1",
    },
]


@pytest.fixture
def cluster_id(aws):
    answer = aws_client("emr").run_job_flow(
        Name="fruits",
        ReleaseLabel="emr-7.0.0",
        JobFlowRole="role",
        ServiceRole="role",
        Instances={"KeepJobFlowAliveWhenNoSteps": True, "InstanceGroups": GROUPS},
    )
    return answer["JobFlowId"]


@pytest.fixture
def output(make_data_stack):
    make_data_stack()
    return Output.open(data_stack(Environment.TEST).output)


def put_manifest(s3, run_id, started_at, n_images):
    manifest = replace(
        made_report().latest_run,
        run_id=run_id,
        started_at=started_at.isoformat(),
        counts=Counts(n_images, 0, n_images, 0, {}),
        bytes_read=n_images * 5000,
    )
    body = json.dumps(manifest.to_json()).encode()
    s3.put_object(Bucket=RESULTS, Key=f"chain/runs/{run_id}.json", Body=body)


class ScriptedFleets:
    """An EMR with fleets: a primary node, a core node, and a Spot node that was replaced."""

    def describe_cluster(self, ClusterId):  # noqa: N803
        timeline = {"CreationDateTime": START, "EndDateTime": START + timedelta(hours=2)}
        return {
            "Cluster": {
                "Status": {"Timeline": timeline},
                "InstanceCollectionType": "INSTANCE_FLEET",
                "EbsRootVolumeSize": 30,
            }
        }

    def get_paginator(self, name):
        self.name = name
        return self

    def paginate(self, *, ClusterId, InstanceFleetType=None):  # noqa: N803
        if self.name == "list_instance_fleets":
            yield {"InstanceFleets": [self._fleet("MASTER", 20), self._fleet("CORE", 100)]}
            yield {"InstanceFleets": [{"InstanceFleetType": "TASK"}]}
            return
        nodes = {
            "MASTER": [("m7g.xlarge", "ON_DEMAND", 0, 2)],
            "CORE": [("m7g.xlarge", "ON_DEMAND", 0, 2)],
            "TASK": [("m6g.xlarge", "SPOT", 0, 1), ("m7g.xlarge", "SPOT", 1, None)],
        }
        for node in nodes[InstanceFleetType]:
            yield {"Instances": [self._instance(*node)]}

    def _fleet(self, role, gb):
        devices = [{"VolumeSpecification": {"SizeInGB": gb}}]
        return {
            "InstanceFleetType": role,
            "InstanceTypeSpecifications": [{"EbsBlockDevices": devices}],
        }

    def _instance(self, instance_type, market, start_h, end_h):
        timeline = {"CreationDateTime": START + timedelta(hours=start_h)}
        if end_h is not None:
            timeline["EndDateTime"] = START + timedelta(hours=end_h)
        return {
            "InstanceType": instance_type,
            "Market": market,
            "Status": {"Timeline": timeline},
        }


def test_the_nodes_of_fleets_are_read_by_role_on_every_page_with_those_that_ended():
    cluster = read_cluster(ScriptedFleets(), "j-1")
    assert (cluster.created_at, cluster.ended_at) == (START, START + timedelta(hours=2))
    found = [(n.role, n.instance_type, n.market, n.disk_gb, n.ended_at) for n in cluster.nodes]
    end = START + timedelta(hours=2)
    assert found == [
        ("MASTER", "m7g.xlarge", "ON_DEMAND", 50, end),
        ("CORE", "m7g.xlarge", "ON_DEMAND", 130, end),
        ("TASK", "m6g.xlarge", "SPOT", 94, START + timedelta(hours=1)),
        ("TASK", "m7g.xlarge", "SPOT", 94, None),
    ]


def test_the_nodes_of_groups_are_read_by_role(cluster_id):
    cluster = read_cluster(aws_client("emr"), cluster_id)
    assert sorted((node.role, node.instance_type, node.market) for node in cluster.nodes) == [
        ("CORE", "m7g.xlarge", "ON_DEMAND"),
        ("MASTER", "m7g.xlarge", "ON_DEMAND"),
        ("TASK", "m6g.xlarge", "SPOT"),
        ("TASK", "m6g.xlarge", "SPOT"),
    ]
    assert {node.ended_at for node in cluster.nodes} == {None}


def test_the_receipt_is_printed_and_kept_with_the_images_of_its_time(
    s3, output, cluster_id, capsys
):
    now = datetime.now(UTC)
    put_manifest(s3, "1", now - timedelta(days=1), 999)
    put_manifest(s3, "2", now, 250)
    assert cli.main(["receipt", "--cluster-id", cluster_id]) == 0
    told = capsys.readouterr()
    kept = newest_receipt(output)
    assert kept is not None
    assert (kept.cluster_id, kept.ended_at, kept.n_images) == (cluster_id, None, 250)
    assert sum(one.n_nodes for one in kept.node_hours) == 4
    assert f"{kept.usd:.3f}" in told.out
    key = f"chain/receipts/{cluster_id}.json"
    assert told.err == f"receipt: s3://{RESULTS}/{key}\n"
    body = json.loads(s3.get_object(Bucket=RESULTS, Key=key)["Body"].read())
    assert Receipt.from_json(body) == kept
    assert body["usd"] == kept.usd


def test_the_images_of_a_run_on_serverless_are_not_those_of_the_cluster(
    s3, output, cluster_id, make_serverless_stack
):
    machine_arn = make_serverless_stack().machine_arn
    sfn = aws_client("stepfunctions")
    put_manifest(s3, "1", datetime.now(UTC), 250)
    sfn.start_execution(stateMachineArn=machine_arn)
    put_manifest(s3, "2", datetime.now(UTC) + timedelta(seconds=1), 999)
    assert cli.main(["receipt", "--cluster-id", cluster_id]) == 0
    kept = newest_receipt(output)
    assert (kept.n_runs, kept.n_images) == (1, 250)


def test_the_cluster_of_the_stack_is_taken_unless_another_is_named(
    output, make_compute_stack, capsys
):
    cluster = make_compute_stack()
    assert cli.main(["receipt"]) == 0
    assert f"Cost of the cluster {cluster.cluster_id} from" in capsys.readouterr().out


def test_without_a_bucket_or_a_cluster_one_sentence_says_what_makes_one(make_data_stack, capsys):
    assert cli.main(["receipt"]) == 1
    assert "so there is no bucket; make one with: fruits deploy" in capsys.readouterr().err
    make_data_stack()
    assert cli.main(["receipt"]) == 1
    assert "there is no cluster in the test environment" in capsys.readouterr().err


def test_a_cluster_that_emr_does_not_know_is_one_sentence(output, capsys):
    assert cli.main(["receipt", "--cluster-id", "j-NONE"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_newest_receipt_is_the_one_that_was_made_last(tmp_path):
    output = Output.open(parse_location(str(tmp_path / "out")))
    assert newest_receipt(output) is None
    receipts = {
        cluster_id: Receipt.from_json(
            {**made_receipt().to_json(), "cluster_id": cluster_id, "made_at": made_at}
        )
        for cluster_id, made_at in (
            ("j-B", "2026-11-02T00:00:00+00:00"),
            ("j-A", "2026-11-03T00:00:00+00:00"),
            ("j-C", "2026-11-01T00:00:00+00:00"),
        )
    }
    for receipt in receipts.values():
        write_receipt(output, receipt)
    assert newest_receipt(output) == receipts["j-A"]


def test_a_run_above_the_cap_is_refused_and_one_below_is_not(s3, output, cluster_id):
    images = data_stack(Environment.TEST).images
    estimate = estimate_on_cluster(aws_client("emr"), cluster_id)
    check_max_cost(images, estimate, max_cost_usd=0.0001)  # there is nothing to look at
    for n in range(3):
        s3.put_object(Bucket=RAW, Key=f"images/apple/{n}.jpg", Body=b"x" * 5000)
    check_max_cost(images, estimate, max_cost_usd=5)
    with pytest.raises(
        FruitsError, match=r"^a run over all 3 images would cost about \d\.\d\d USD"
    ):
        check_max_cost(images, estimate, max_cost_usd=0.0001)


def test_a_run_on_serverless_is_estimated_with_the_capacity_that_is_deployed(
    s3, output, make_serverless_stack
):
    small, large = (
        make_serverless_stack(environment, n_vcpus=n_vcpus)
        for environment, n_vcpus in (("test", 8), ("prod", 64))
    )
    on_serverless, on_large = (
        estimate_on_serverless(each.client, each.application_id) for each in (small, large)
    )
    assert on_serverless(Work(1, 0.01)).usd < on_large(Work(1, 0.01)).usd
    s3.put_object(Bucket=RAW, Key="images/1.jpg", Body=b"x" * 5000)
    images = data_stack(Environment.TEST).images
    started = on_serverless(Work(1, 0.01)).usd
    check_max_cost(images, on_serverless, max_cost_usd=started * 1.001)
    with pytest.raises(FruitsError, match="a run over 1 image would cost about"):
        check_max_cost(images, on_serverless, max_cost_usd=started * 0.999)


def test_nodes_that_have_ended_do_no_work_of_a_run(s3, output):
    class AllEnded(ScriptedFleets):
        def _instance(self, instance_type, market, start_h, end_h):
            return super()._instance(instance_type, market, start_h, end_h or 2)

    s3.put_object(Bucket=RAW, Key="images/1.jpg", Body=b"x")
    images = data_stack(Environment.TEST).images
    with pytest.raises(FruitsError, match="no worker node yet"):
        check_max_cost(images, estimate_on_cluster(AllEnded(), "j-1"), max_cost_usd=5)
