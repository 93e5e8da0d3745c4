"""The receipts that an output holds: what the clusters of its runs have cost."""

from spark_assets.output.layout import OutputLayout
from spark_assets.output.receipt import Receipt
from spark_assets.storage.files import names_in, read_json, write_json
from spark_assets.storage.locations import Location


def write_receipt(layout: OutputLayout, receipt: Receipt) -> Location:
    """Write a receipt in place of an earlier one of the same cluster; return where."""
    file = layout.receipts.child(f"{receipt.cluster_id}.json")
    write_json(file, receipt.to_json())
    return file


def newest_receipt(layout: OutputLayout) -> Receipt | None:
    """Return the receipt that was made last, or None where there is none."""
    names = [name for name in names_in(layout.receipts) if name.endswith(".json")]
    values = [read_json(layout.receipts.child(name)) for name in names]
    receipts = [Receipt.from_json(value) for value in values if value is not None]
    return max(receipts, key=lambda receipt: receipt.made_at, default=None)
