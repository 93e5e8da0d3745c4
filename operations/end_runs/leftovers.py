"""What a run has made and nobody has ended: clusters and endpoints that carry the run's tag."""

from collections.abc import Iterator, Mapping

from cdk_app.cluster.definition import ACTIVE_STATES, RUN_TAG
from cdk_app.config import PipelineConfig
from operations.aws.clients import Client
from operations.aws.wording import printable
from operations.end_runs.waiting import Waiting
from spark_assets.errors import FruitsError
from spark_assets.runtime.progress import say

# As long as a run itself waits for each.
_CLUSTER_MINUTES = 30
_ENDPOINT_MINUTES = 15
_ENDING = "TERMINATING"
_DELETED = "deleted"
_GOING = ("deleting", _DELETED)


def end_clusters(emr: Client, config: PipelineConfig, waiting: Waiting) -> None:
    """End the clusters that runs of this environment have made, and wait until they have ended.

    Raises FruitsError where one does not end in time.
    """
    clusters = dict(_clusters(emr, config))
    if to_end := [name for name, state in clusters.items() if state != _ENDING]:
        say(f"ending {_listed('cluster', to_end)} of runs on demand, which takes some minutes")
        emr.terminate_job_flows(JobFlowIds=to_end)
    left = waiting.until_gone(
        "cluster", lambda: dict(_clusters(emr, config)), limit_minutes=_CLUSTER_MINUTES
    )
    if left:
        raise FruitsError(
            f"{_listed('cluster', left)} did not end within {_CLUSTER_MINUTES} minutes, so nothing "
            "of the stack was deleted; look at it with: aws emr describe-cluster --cluster-id "
            f"{next(iter(left))}, and give the same command again"
        )


def delete_endpoints(ec2: Client, config: PipelineConfig, vpc_id: str, waiting: Waiting) -> None:
    """Delete the endpoints that runs have made in a network, and wait until they are gone.

    Raises FruitsError where one cannot be deleted, or not in time.
    """
    endpoints = _endpoints(ec2, config, vpc_id)
    if to_delete := [name for name, state in endpoints.items() if state not in _GOING]:
        say(f"deleting {_listed('endpoint', to_delete)} of runs on demand")
        answer = ec2.delete_vpc_endpoints(VpcEndpointIds=to_delete)
        if refused := answer.get("Unsuccessful"):
            told = printable(str(refused[0].get("Error", {}).get("Message", "")))
            raise FruitsError(
                f"AWS does not delete the endpoint {refused[0].get('ResourceId', '')}: "
                f"{told.rstrip('.')}; delete it in the AWS console, and give the same command again"
            )
    left = waiting.until_gone(
        "endpoint",
        lambda: _endpoints(ec2, config, vpc_id),
        limit_minutes=_ENDPOINT_MINUTES,
    )
    if left:
        raise FruitsError(
            f"{_listed('endpoint', left)} did not go within {_ENDPOINT_MINUTES} minutes, so "
            "nothing of the stack was deleted; give the same command again"
        )


def _clusters(emr: Client, config: PipelineConfig) -> Iterator[tuple[str, str]]:
    """Yield the clusters that have not ended, with their states.

    One by one from EMR itself: the tagging API, which finds by tags at once, is some time behind,
    and goes on to list what has ended.
    """
    for page in emr.get_paginator("list_clusters").paginate(ClusterStates=list(ACTIVE_STATES)):
        for listed in page["Clusters"]:
            cluster = emr.describe_cluster(ClusterId=listed["Id"])["Cluster"]
            tags = {tag["Key"]: tag["Value"] for tag in cluster.get("Tags", ())}
            state = str(cluster["Status"]["State"])
            if state in ACTIVE_STATES and RUN_TAG in tags and config.tags.items() <= tags.items():
                yield str(listed["Id"]), state


def _endpoints(ec2: Client, config: PipelineConfig, vpc_id: str) -> Mapping[str, str]:
    tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in config.tags.items()]
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc_id]},
            {"Name": "vpc-endpoint-type", "Values": ["Interface"]},
            {"Name": "tag-key", "Values": [RUN_TAG]},
            *tags,
        ]
    )
    return {
        str(each["VpcEndpointId"]): str(each["State"]).lower()
        for page in pages
        for each in page["VpcEndpoints"]
        if str(each["State"]).lower() != _DELETED
    }


def _listed(noun: str, names: list[str] | Mapping[str, str]) -> str:
    return f"the {noun}{'s' * (len(names) != 1)} {', '.join(names)}"
