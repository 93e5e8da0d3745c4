"""An account that has all a deployment needs, for tests that take something away."""

from dataclasses import replace

from cdk_app.cluster.definition import define_cluster
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE, S3_PREFIX_LIST
from operations.cdk.context import read_config
from operations.preflight.facts import (
    ClusterFacts,
    Facts,
    RunningInstance,
    ServerlessFacts,
    Subscription,
    Toolkit,
)

ZONE = "eu-central-1a"
ZONES = frozenset({ZONE, "eu-central-1b"})
# The default cluster: 4 + 4 vCPUs on demand, 2 times 4 on Spot.
READY = Facts(
    bootstrap_version=30,
    toolkit=Toolkit("hnb659fds", "AWS_MANAGED_KEY"),
    is_on_free_plan=False,
    takes_budgets=True,
    stack=None,
    spark_version="4.1.1",
    subscription=Subscription.NO_STACK,
)
# The default cluster: 4 + 4 vCPUs on demand, 2 times 4 on Spot.
READY_FOR_CLUSTER = ClusterFacts(
    has_spot_role=True,
    has_cleanup_role=True,
    zones_by_type={"m7g.xlarge": ZONES, "m6g.xlarge": ZONES},
    types_of_release=frozenset({"m7g.xlarge", "m6g.xlarge"}),
    zones_by_service={EMR_CELL_SERVICE: ZONES, KMS_SERVICE: ZONES},
    s3_prefix_list=S3_PREFIX_LIST,
    on_demand_quota=32,
    spot_quota=16,
    running=(),
    vpc_quota=5,
    n_other_vpcs=1,
)
READY_FOR_SERVERLESS = ServerlessFacts(has_role=True, quota=16)


def facts(**changed):
    return replace(READY, **changed)


def cluster_facts(**changed):
    return replace(READY_FOR_CLUSTER, **changed)


def serverless_facts(**changed):
    return replace(READY_FOR_SERVERLESS, **changed)


def account_plan(kind):
    """Return what AWS answers about the plan of an account."""
    return {"accountId": "123456789012", "accountPlanType": kind, "accountPlanStatus": "ACTIVE"}


def configured(*words):
    return read_config(words)


def fleets_of(config):
    return define_cluster(config, name="", bootstrap_uri="", bootstrap_arguments=()).fleets


def running(n_vcpus, instance_type="m5.xlarge", *, on_spot=False, is_own=False):
    return RunningInstance(instance_type, n_vcpus, on_spot, is_own)
