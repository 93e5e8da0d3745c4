"""Text of ``fruits receipt``: node-hours, the parts of the cost, and the estimate beside them."""

from operations.costs.cluster_costs import total
from operations.plain_text import join, wrap
from spark_assets.output.cost_receipt import Receipt

_ESTIMATED_ON = {
    False: "on a cluster of this size that starts for it",
    True: "with the full capacity of the application",
}


def receipt_text(receipt: Receipt) -> str:
    """Return the cost of a cluster or a run beside the estimate."""
    kind = "run" if receipt.is_serverless else "cluster"
    end = receipt.ended_at or f"{receipt.made_at}, still running"
    return join(
        [
            wrap(
                f"Cost of the {kind} {receipt.cluster_id} from {receipt.started_at} to {end}:",
            ),
            _nodes(receipt),
            _parts(receipt),
            wrap(_summary(receipt)),
            wrap(
                f"Prices read {receipt.prices_read}. Assumed: {'; '.join(receipt.assumptions)}. "
                "Not included: flow logs, storage and taxes. AWS's bill is what counts."
            ),
        ]
    )


def _nodes(receipt: Receipt) -> list[str]:
    counted = "jobs" if receipt.is_serverless else "nodes"
    lines = [f"  {'billed':<14}{'market':<12}{counted:>6}{'hours':>9}"]
    for each in receipt.node_hours:
        market = each.market.lower().replace("_", " ")
        lines.append(f"  {each.instance_type:<14}{market:<12}{each.n_nodes:>6}{each.hours:>9.2f}")
    return lines


def _parts(receipt: Receipt) -> list[str]:
    estimates = {cost.what: cost.usd for cost in receipt.estimate or ()}
    rows = [(cost.what, cost.usd, estimates.get(cost.what)) for cost in receipt.costs]
    lines = [f"  {'USD':<14}{'cost':>9}{'estimate':>10}"]
    for what, usd, estimate in [*rows, ("sum", total(receipt.costs), receipt.estimate_usd)]:
        beside = "-" if estimate is None else f"{estimate:.3f}"
        lines.append(f"  {what:<14}{usd:>9.3f}{beside:>10}")
    return lines


def _summary(receipt: Receipt) -> str:
    usd = f"{receipt.usd:.2f} USD ({receipt.usd * receipt.eur_per_usd:.2f} EUR)"
    if receipt.usd_per_million is None:
        return f"{usd}, and no run read an image in that time."
    runs = "1 run" if receipt.n_runs == 1 else f"{receipt.n_runs} runs"
    images = "1 image" if receipt.n_images == 1 else f"{receipt.n_images:,} images"
    return (
        f"{usd} for {runs} over {images}: {receipt.usd_per_million:,.2f} USD per million images. "
        f"The estimate is for one run over them {_ESTIMATED_ON[receipt.is_serverless]}."
    )
