"""The cap on what a run may cost, looked at before its steps are submitted."""

from collections.abc import Callable

from operations.aws.clients import Client
from operations.aws.nodes import read_cluster
from operations.costs.budget import check_budget
from operations.costs.configured import default_capacity
from operations.costs.prices import load_prices
from operations.costs.receipts import peak_shape
from operations.costs.runs import RunEstimate, Work, estimate_run
from operations.costs.serverless import estimate_serverless_run
from operations.costs.speed import load_speed
from spark_assets.images.listing import list_images
from spark_assets.storage.locations import Location


def check_run_budget(
    images: Location, estimate: Callable[[Work], RunEstimate], *, max_cost_usd: float
) -> None:
    """Raise FruitsError where a run over all images costs more than may be spent.

    Images that earlier runs know are counted too: what is new is known once a run looked.
    """
    sizes = [size or 0 for size in list_images(images)["size_bytes"].to_pylist()]
    if not sizes:
        return
    work = Work(len(sizes), load_speed().megapixels_of(sum(sizes) / len(sizes) / 1e6))
    images_told = "1 image" if len(sizes) == 1 else f"all {len(sizes):,} images"
    check_budget(estimate(work).usd, max_cost_usd, what=f"a run over {images_told}")


def on_cluster(emr: Client, cluster_id: str) -> Callable[[Work], RunEstimate]:
    """Return the estimate of a run on the nodes that a cluster has."""

    def estimate(work: Work) -> RunEstimate:
        nodes = read_cluster(emr, cluster_id).nodes
        shape = peak_shape([node for node in nodes if node.ended_at is None])
        return estimate_run(work, shape, load_prices(), load_speed(), is_running=True)

    return estimate


def on_serverless(work: Work) -> RunEstimate:
    """Estimate a run on EMR Serverless, with the capacity of ``cdk.json``."""
    return estimate_serverless_run(work, default_capacity(), load_prices(), load_speed())
