"""What the cluster is, as one pure value for CloudFormation and for the preflight."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_app.cluster.spark_settings import (
    CAPACITY_SCHEDULER,
    METADATA_RETRIES,
    PYTHON,
    spark_defaults,
    yarn_site,
)
from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig

# Spark 4.1 on Python 3.11, with fixes until September 2029.
RELEASE_LABEL = "emr-spark-8.1.0"
# EMR may only touch what carries this tag; its own managed policies ask for the same.
EMR_TAG = "for-use-with-amazon-emr-managed-policies"
SPOT_WAIT_MINUTES = 10
SPOT_ALLOCATION = "price-capacity-optimized"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Nodes of one kind.  ``kind`` is EMR's word for it: MASTER, CORE or TASK."""

    name: str
    kind: str
    instance_types: tuple[str, ...]
    n_nodes: int
    on_spot: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of one part of the cluster, by EMR's classification."""

    classification: str
    properties: Mapping[str, str]
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A script that every node runs before it takes work, and its arguments."""

    name: str
    script_uri: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterDefinition:
    """All that a cluster is, apart from the stack that it is in."""

    name: str
    release_label: str
    applications: tuple[str, ...]
    fleets: tuple[Fleet, ...]
    node_volume_gib: int
    root_volume_gib: int
    configurations: tuple[Configuration, ...]
    bootstrap: Bootstrap
    idle_timeout_minutes: int
    tags: Mapping[str, str]

    def fleet(self, kind: str) -> Fleet | None:
        """Return the fleet of a kind, or None where the cluster has none."""
        return next((fleet for fleet in self.fleets if fleet.kind == kind), None)


def define_cluster(
    config: PipelineConfig, *, name: str, bootstrap_uri: str, bootstrap_arguments: tuple[str, ...]
) -> ClusterDefinition:
    """Return one primary node, core nodes on demand and task nodes on Spot, as configured."""
    worker = config.worker_instance_type
    fleets = [
        Fleet("primary", "MASTER", (config.primary_instance_type.name,), 1),
        Fleet("core", "CORE", (worker.name,), config.n_core_nodes),
    ]
    if config.n_task_nodes:
        stand_ins = tuple(each.name for each in worker.equivalents)
        fleets.append(Fleet("task", "TASK", stand_ins, config.n_task_nodes, on_spot=True))
    return ClusterDefinition(
        name=name,
        release_label=RELEASE_LABEL,
        applications=("Spark",),
        fleets=tuple(fleets),
        node_volume_gib=config.node_volume_gib,
        root_volume_gib=ROOT_VOLUME_GIB,
        configurations=_configurations(config),
        bootstrap=Bootstrap("install Python packages", bootstrap_uri, bootstrap_arguments),
        idle_timeout_minutes=config.idle_timeout_minutes,
        # EMR hands them down to the nodes.
        tags={**config.tags, EMR_TAG: "true"},
    )


def _configurations(config: PipelineConfig) -> tuple[Configuration, ...]:
    worker = config.worker_instance_type
    defaults = spark_defaults(
        primary=config.primary_instance_type,
        worker=worker,
        n_worker_nodes=config.n_core_nodes + config.n_task_nodes,
    )
    return (
        Configuration("spark-defaults", defaults),
        Configuration("export", {"PYSPARK_PYTHON": PYTHON, **METADATA_RETRIES}, within="spark-env"),
        Configuration("yarn-site", yarn_site(worker)),
        Configuration("capacity-scheduler", CAPACITY_SCHEDULER),
    )
