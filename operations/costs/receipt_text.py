"""A receipt as plain text: node-hours, the parts of the cost, and the estimate beside them."""

import textwrap

from operations.costs.clusters import total
from spark_assets.output.cost_receipt import Receipt

WIDTH = 100
_WHERE = {
    False: "on a cluster of this size that starts for it",
    True: "with all that the application may have at a time",
}


def receipt_text(receipt: Receipt) -> str:
    """Tell what a cluster or a run has cost, beside what was to be expected."""
    until = receipt.ended_at or f"{receipt.made_at}, and is still there"
    return "\n".join(
        [
            f"The {'run' if receipt.is_serverless else 'cluster'} {receipt.cluster_id} "
            f"{'lasted' if receipt.is_serverless else 'was there'} from {receipt.started_at} to "
            f"{until}:",
            "",
            *_nodes(receipt),
            "",
            *_parts(receipt),
            "",
            *textwrap.wrap(_summary(receipt), WIDTH),
            "",
            *textwrap.wrap(
                f"From prices read {receipt.prices_read}. Assumed: "
                f"{'; '.join(receipt.assumptions)}. Flow logs, what is stored and taxes are not "
                "in it; the bill of AWS decides.",
                WIDTH,
            ),
        ]
    )


def _nodes(receipt: Receipt) -> list[str]:
    counted = "jobs" if receipt.is_serverless else "nodes"
    lines = [f"  {'billed':<14}{'market':<12}{counted:>6}{'hours':>9}"]
    for one in receipt.node_hours:
        market = one.market.lower().replace("_", " ")
        lines.append(f"  {one.instance_type:<14}{market:<12}{one.n_nodes:>6}{one.hours:>9.2f}")
    return lines


def _parts(receipt: Receipt) -> list[str]:
    estimates = {cost.what: cost.usd for cost in receipt.estimate or ()}
    lines = [f"  {'USD':<14}{'cost':>9}{'estimate':>10}"]
    rows = [(cost.what, cost.usd, estimates.get(cost.what)) for cost in receipt.costs]
    for what, usd, estimate in [*rows, ("sum", total(receipt.costs), receipt.estimate_usd)]:
        beside = "-" if estimate is None else f"{estimate:.3f}"
        lines.append(f"  {what:<14}{usd:>9.3f}{beside:>10}")
    return lines


def _summary(receipt: Receipt) -> str:
    usd = f"{receipt.usd:.2f} USD ({receipt.usd * receipt.euros_a_usd:.2f} EUR)"
    if receipt.usd_per_million is None:
        return f"{usd}, and no run looked at an image in that time."
    runs = "1 run" if receipt.n_runs == 1 else f"{receipt.n_runs} runs"
    images = "1 image" if receipt.n_images == 1 else f"{receipt.n_images:,} images"
    return (
        f"{usd} for {runs} over {images}: {receipt.usd_per_million:,.2f} USD a million images. "
        f"The estimate is for one run over them {_WHERE[receipt.is_serverless]}."
    )
