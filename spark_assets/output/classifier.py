"""The files of a classifier as the chain knows them: photographs leave it, as all that is kept.

What else is in them is the matter of who fits and uses it.
"""

import hashlib
import json

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.commit import Change
from spark_assets.output.output import CLASSIFIER, Output
from spark_assets.storage.files import to_json
from spark_assets.storage.parquet import from_parquet, to_parquet

RECORD, REFERENCE = "classifier.json", "known.parquet"


def fitted_on(output: Output) -> dict[str, int]:
    """Return how many rows of features of each run a classifier was fitted on: of none if none."""
    record = output.folder(CLASSIFIER).read(RECORD)
    return {} if record is None else json.loads(record)["made_from"]


def remove_references(output: Output, change: Change, paths: pa.Array) -> None:
    """Take photographs out of those that new ones are compared with.

    Without any, the classifier goes.
    """
    folder = output.folder(CLASSIFIER)
    record, content = folder.read(RECORD), folder.read(REFERENCE)
    if record is None or content is None:
        return
    held = from_parquet(content)
    kept = held.filter(pc.invert(pc.is_in(held["path"], value_set=paths)))
    if kept.num_rows == held.num_rows:
        return
    if not kept.num_rows:
        change.remove_folder(CLASSIFIER)
        return
    written, value = to_parquet(kept), json.loads(record)
    value["sha256"][REFERENCE] = hashlib.sha256(written).hexdigest()
    change.put(f"{CLASSIFIER}/{REFERENCE}", written)
    change.put(f"{CLASSIFIER}/{RECORD}", to_json(value))
