"""The cap on what a run may cost, looked at before its steps are submitted."""

from operations.aws.clients import Client
from operations.aws.nodes import read_cluster
from operations.costs.budget import check_budget
from operations.costs.clusters import ClusterShape
from operations.costs.configured import default_cluster
from operations.costs.prices import load_prices
from operations.costs.receipts import peak_shape
from operations.costs.runs import Work, estimate_run
from operations.costs.speed import load_speed
from spark_assets.images.listing import list_images
from spark_assets.storage.locations import Location


def check_run_budget(
    emr: Client, cluster_id: str | None, images: Location, *, max_cost_usd: float
) -> None:
    """Raise FruitsError where a run over all images costs more than may be spent.

    On the nodes that a cluster has; on one like the default, with its start, where ``cluster_id``
    is None.  Images that earlier runs know are counted too: what is new is known once a run looked.
    """
    sizes = [size or 0 for size in list_images(images)["size_bytes"].to_pylist()]
    if not sizes:
        return
    speed = load_speed()
    work = Work(len(sizes), speed.megapixels_of(sum(sizes) / len(sizes) / 1e6))
    shape = default_cluster() if cluster_id is None else _shape(emr, cluster_id)
    estimate = estimate_run(work, shape, load_prices(), speed, is_running=cluster_id is not None)
    images_told = "1 image" if len(sizes) == 1 else f"all {len(sizes):,} images"
    check_budget(estimate.usd, max_cost_usd, what=f"a run over {images_told}")


def _shape(emr: Client, cluster_id: str) -> ClusterShape:
    nodes = read_cluster(emr, cluster_id).nodes
    return peak_shape([node for node in nodes if node.ended_at is None])
