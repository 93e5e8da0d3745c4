"""The files that one task leaves: features, rejected images, and the outcome of each image."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.storage.files import write_into
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import CHANGES, FEATURES, REJECTED, Outcome

SCHEMAS = {"features": FEATURES, "rejected": REJECTED, "changes": CHANGES}


@dataclass(frozen=True, slots=True)
class TableFolders:
    """Where the files of a run go, one folder a table."""

    features: Location
    rejected: Location
    changes: Location


def write_outcomes(outcomes: pa.Table, folders: TableFolders, name: str) -> list[str]:
    """Write `schemas.OUTCOMES` as a file of each table that has rows; return ``table/name`` each.

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
        folder: Location = getattr(folders, table)
        schema = SCHEMAS[table]
        rows = tables[table].select(schema.names).cast(schema)
        write_into(folder.child(name), to_parquet(rows))
    return [f"{table}/{name}" for table in with_rows]
