"""The cap on what a run may cost."""

from spark_assets.errors import FruitsError


def check_budget(usd: float, max_cost_usd: float, *, what: str) -> None:
    """Raise FruitsError where an estimate is above what may be spent; ``what`` begins it."""
    if usd > max_cost_usd:
        raise FruitsError(
            f"{what} would cost about {usd:.2f} USD, and --max-cost allows {max_cost_usd:.2f}; "
            "give a higher one, fewer images or another cluster"
        )
