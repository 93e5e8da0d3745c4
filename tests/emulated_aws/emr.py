"""What is added to moto's EMR: its answers about fleets and releases, and the word of a node."""

import json
from typing import Any

from moto.cloudformation.parsing import get_model_map
from moto.core.responses import ActionResult, PaginatedResult
from moto.emr.exceptions import InvalidRequestException
from moto.emr.models import emr_backends
from moto.emr.responses import ElasticMapReduceResponse
from moto.moto_api._internal import urls

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.clusters import FleetCluster

NODE_PATH = "/moto-api/emr"
_SPARK_BY_RELEASE = {"emr-spark-8.0.0": "4.0.1", "emr-spark-8.1.0": "4.1.1"}


def add() -> None:
    """Put the additions into moto."""
    # moto reads the region from the host alone, and takes localhost for us-east-1. Without this
    # method it reads the signature, as it does for all other services.
    del ElasticMapReduceResponse.get_region_from_url
    ElasticMapReduceResponse.describe_release_label = _describe_release_label
    ElasticMapReduceResponse.list_instance_fleets = _list_instance_fleets
    ElasticMapReduceResponse.list_instances = _list_instances
    get_model_map()["AWS::EMR::Cluster"] = FleetCluster
    urls.url_paths[f"{{0}}{NODE_PATH}"] = _hear_node


def _describe_release_label(self: ElasticMapReduceResponse) -> ActionResult:
    # moto has none of DescribeReleaseLabel.
    label = self._get_param("ReleaseLabel")
    if label not in _SPARK_BY_RELEASE:
        raise InvalidRequestException("The requested release label is not valid.")
    spark = {"Name": "Spark", "Version": _SPARK_BY_RELEASE[label]}
    return ActionResult({"ReleaseLabel": label, "Applications": [spark]})


def _list_instance_fleets(self: ElasticMapReduceResponse) -> ActionResult:
    cluster = self.backend.describe_cluster(self._get_param("ClusterId"))
    return PaginatedResult({"InstanceFleets": cluster.instance_fleets})


def _list_instances(self: ElasticMapReduceResponse) -> ActionResult:
    # moto knows instance groups alone.
    cluster = self.backend.describe_cluster(self._get_param("ClusterId"))
    return PaginatedResult({"Instances": cluster.nodes(self._get_param("InstanceFleetType"))})


def _hear_node(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    """Take what a node says of its cluster or a step; on AWS it says so through EMR's endpoint."""
    word = json.loads(request.data)
    cluster = emr_backends[ACCOUNT][REGION].clusters[word.pop("cluster_id")]
    turn = cluster.turn_step if "step_id" in word else cluster.turn
    turn(**word)
    return 200, {}, "{}"
