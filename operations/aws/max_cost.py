"""``--max-cost``: the estimate of a run on what is deployed, before its steps are submitted."""

from collections.abc import Callable

from cdk_app.instances import Architecture
from operations.aws.clients import Client
from operations.aws.cluster_nodes import read_cluster
from operations.costs.receipt_costs import peak_shape
from operations.costs.run_costs import (
    Capacity,
    RunEstimate,
    Work,
    check_budget,
    estimate_run,
    estimate_serverless_run,
)
from operations.costs.speed import load_speed
from spark_assets.images.listing import list_images
from spark_assets.storage.locations import Location


def check_max_cost(
    images: Location, estimate: Callable[[Work], RunEstimate], *, max_cost_usd: float
) -> None:
    """Raise FruitsError if a run over all images is estimated to cost more than the cap.

    Images of earlier runs count too: which are new is known only once a run has compared them.
    """
    sizes = [size or 0 for size in list_images(images)["size_bytes"].to_pylist()]
    if not sizes:
        return
    work = Work(len(sizes), load_speed().megapixels_of(sum(sizes) / len(sizes) / 1e6))
    counted = "1 image" if len(sizes) == 1 else f"all {len(sizes):,} images"
    check_budget(estimate(work).usd, max_cost_usd, what=f"a run over {counted}")


def estimate_on_cluster(emr: Client, cluster_id: str) -> Callable[[Work], RunEstimate]:
    """Return the estimate of a run on the running nodes of a cluster."""

    def estimate(work: Work) -> RunEstimate:
        nodes = read_cluster(emr, cluster_id).nodes
        shape = peak_shape([node for node in nodes if node.ended_at is None])
        return estimate_run(work, shape, is_running=True)

    return estimate


def estimate_on_serverless(
    serverless: Client, application_id: str
) -> Callable[[Work], RunEstimate]:
    """Return the estimate of a run with the capacity of a deployed application."""
    return lambda work: estimate_serverless_run(work, read_capacity(serverless, application_id))


def read_capacity(serverless: Client, application_id: str) -> Capacity:
    """Return the capacity that an application was deployed with."""
    application = serverless.get_application(applicationId=application_id)["application"]
    n_vcpus, _, _ = application["maximumCapacity"]["cpu"].partition(" ")
    # X86_64 is what AWS takes for an application that names none.
    architecture = Architecture(application.get("architecture", "X86_64").lower())
    return Capacity(int(n_vcpus), architecture)
