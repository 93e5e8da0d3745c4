"""The last step of an erasure: delete old versions, verify, and write the certificate.

No Spark, but permissions to delete versions, which no node of a cluster has.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.erasure.rewrite_output import models_to_remove
from spark_assets.errors import FruitsError
from spark_assets.output.erasure_denylist import read_denylist
from spark_assets.output.erasure_journal import (
    Certificate,
    PendingErasure,
    delete_journal,
    write_certificate,
)
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.removal.remove_files import (
    Removal,
    count_versions,
    purge_old_versions,
    remove_files,
)
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location

_N_SHOWN = 5
# Places that no command reaches.
_OUTSIDE_REACH = (
    "copies and backups of photographs, tables or reports that were made outside of the output and "
    "of the sources named in the command",
    "PCA models and tables that other outputs hold: each output is erased by itself",
)


def remove_photographs(erasure: PendingErasure) -> list[Removal]:
    """Remove every version of the photographs from every source."""
    sources = (parse_location(uri) for uri in erasure.sources)
    return [remove_files(source, erasure.paths) for source in sources]


def conclude(
    output: Output,
    erasure: PendingErasure,
    removals: Sequence[Removal],
    *,
    outside_reach: Sequence[str],
) -> Certificate:
    """Delete old versions, verify that no trace is left, and write the certificate.

    Raises FruitsError with the remaining traces; the erasure stays unfinished.
    """
    purged = purge_old_versions(output.location)
    refused = [f"a photograph: {why}" for removal in removals for _, why in removal.refusals]
    refused += [f"an old version in the output: {why}" for _, why in purged.refusals]
    if left := [*refused, *_traces(output, erasure)]:
        raise _not_complete(output, left)
    denylist = read_denylist(output)
    certificate = Certificate(
        erasure_id=erasure.erasure_id,
        began_at=erasure.began_at,
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        n_images=len(erasure.paths),
        held=erasure.held,
        salted_digests=sorted(denylist.salted(digest) for digest in erasure.content_sha256),
        verified=_verified(output, erasure),
        outside_reach=[*_OUTSIDE_REACH, *outside_reach],
    )
    write_certificate(output, certificate)
    if left := [f"its journal: {why}" for _, why in delete_journal(output, erasure).refusals]:
        raise _not_complete(output, left)
    return certificate


def _not_complete(output: Output, left: Sequence[str]) -> FruitsError:
    shown, n_more = left[:_N_SHOWN], len(left) - _N_SHOWN
    more = f"; and {n_more} more" if n_more > 0 else ""
    return FruitsError(
        f"the erasure is not complete; remaining: {'; '.join(shown)}{more}; remove the cause, then "
        f"finish it with: fruits erase --output {output.uri} --finish"
    )


def _traces(output: Output, erasure: PendingErasure) -> list[str]:
    """Return the remaining traces of the images, without their names."""
    paths = pa.array(erasure.paths, pa.string())
    found = []
    for table, schema in schemas.TABLES.items():
        held = read_narrow(table_files(output, table), schema, ("path",))["path"]
        if n_rows := pc.sum(pc.is_in(held, value_set=paths)).as_py():
            found.append(f"{n_rows} rows below {output.child(table).uri}")
    for source in map(parse_location, erasure.sources):
        if n_left := sum(count_versions(source, path) for path in erasure.paths):
            found.append(f"{n_left} versions of photographs below {source.uri}")
    record, has_classifier = models_to_remove(output, output)
    found += [] if record is None else [f"the PCA model {record.model_id}"]
    return [*found, *(["the classifier"] if has_classifier else [])]


def _verified(output: Output, erasure: PendingErasure) -> list[str]:
    versions = ", every version," if output.location.s3 is not None else ""
    return [
        "the sources of the photographs: " + ", ".join(erasure.sources),
        f"the tables below {output.uri}{versions} row by row: {', '.join(schemas.TABLES)}",
        "the PCA model with its statistics, and the classifier",
    ]
