"""The cost receipts of an output, in ``receipts/``."""

from spark_assets.output.cost_receipt import Receipt
from spark_assets.output.output import Output
from spark_assets.storage.files import read_json, write_json
from spark_assets.storage.locations import Location

_FOLDER = "receipts"


def write_receipt(output: Output, receipt: Receipt) -> Location:
    """Write a receipt, which replaces one of the same cluster; return its location."""
    file = output.child(f"{_FOLDER}/{receipt.cluster_id}.json")
    write_json(file, receipt.to_json())
    return file


def newest_receipt(output: Output) -> Receipt | None:
    """Return the newest receipt, or None."""
    files = output.files(_FOLDER).items()
    values = [read_json(file) for name, file in files if name.endswith(".json")]
    receipts = [Receipt.from_json(value) for value in values if value is not None]
    return max(receipts, key=lambda receipt: receipt.made_at, default=None)
