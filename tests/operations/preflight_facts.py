"""An account that has all the default cluster needs, for tests that take something away."""

from dataclasses import replace

from cdk_app.cluster.definition import define_cluster
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from operations.cdk.context import read_config
from operations.preflight.facts import Facts, RunningInstance, Subscription

ZONE = "eu-central-1a"
ZONES = frozenset({ZONE, "eu-central-1b"})
# The default cluster: 4 + 4 vCPUs on demand, 2 times 4 on Spot.
READY = Facts(
    bootstrap_version=30,
    has_spot_role=True,
    has_cleanup_role=True,
    zones_by_type={"m7g.xlarge": ZONES, "m6g.xlarge": ZONES},
    spark_version="4.1.1",
    zones_by_service={EMR_CELL_SERVICE: ZONES, KMS_SERVICE: ZONES},
    on_demand_quota=32,
    spot_quota=16,
    running=(),
    subscription=Subscription.NO_STACK,
)


def facts(**changed):
    return replace(READY, **changed)


def configured(*words):
    return read_config(words)


def fleets_of(config):
    return define_cluster(config, name="", bootstrap_uri="", bootstrap_arguments=()).fleets


def running(n_vcpus, instance_type="m5.xlarge", *, on_spot=False, is_own=False):
    return RunningInstance(instance_type, n_vcpus, on_spot, is_own)
