"""The files that one task leaves: features, rejected images, and the outcome of each image."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.storage.files import write_into
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import CHANGES, FEATURES, REJECTED, Outcome

SCHEMAS = {"features": FEATURES, "rejected": REJECTED, "changes": CHANGES}


def write_outcomes(outcomes: pa.Table, folders: Mapping[str, Location], name: str) -> list[str]:
    """Write `schemas.OUTCOMES` as a file of each table that has rows; return ``table/name`` each.

    ``folders`` has one for each of `SCHEMAS`.
    Raises FruitsError where they cannot be written.
    """
    is_usable = pc.is_null(outcomes["reason"])
    outcome = pc.if_else(is_usable, str(Outcome.FEATURES), str(Outcome.REJECTED))
    tables = {
        "features": outcomes.filter(is_usable),
        "rejected": outcomes.filter(pc.invert(is_usable)),
        "changes": outcomes.append_column("outcome", outcome),
    }
    with_rows = [table for table in tables if tables[table].num_rows]
    for table in with_rows:
        schema = SCHEMAS[table]
        rows = tables[table].select(schema.names).cast(schema)
        write_into(folders[table].child(name), to_parquet(rows))
    return [f"{table}/{name}" for table in with_rows]
