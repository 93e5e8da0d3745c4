"""The end of an erasure: old versions, a last look, the certificate.

No Spark, but the rights to delete versions, which no node of a cluster has.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from spark_assets.erasure.selection import Asked, select
from spark_assets.erasure.tables import count_affected
from spark_assets.errors import FruitsError
from spark_assets.output.artefacts import registered_artefacts
from spark_assets.output.certificates import Certificate, write_certificate
from spark_assets.output.erased import load_erased
from spark_assets.output.erasing import PendingErasure, end_erasure
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.removal.files import Removal, count_versions, purge_old_versions, remove_files
from spark_assets.storage.files import names_in
from spark_assets.storage.locations import Location, parse_location

_N_SHOWN = 5
# What nothing here can reach, wherever an output is.
_OUTSIDE_REACH = (
    "copies and backups of photographs, tables or reports that were made outside of the output and "
    "of the sources named when it was asked for",
    "PCA models and tables that other outputs hold: each output is erased by itself",
)


def remove_photographs(erasure: PendingErasure) -> list[Removal]:
    """Remove the photographs from every source, each version of them."""
    sources = (parse_location(uri) for uri in erasure.sources)
    return [remove_files(source, erasure.paths) for source in sources]


def conclude(
    layout: OutputLayout,
    erasure: PendingErasure,
    removals: Sequence[Removal],
    *,
    outside_reach: Sequence[str],
) -> Certificate:
    """Remove old versions, look whether anything is left, and write the certificate.

    Raises FruitsError with what is left: the erasure stays unfinished then, and its images hidden.
    """
    purged = purge_old_versions(layout.output)
    refused = [f"a photograph: {why}" for removal in removals for _, why in removal.refusals]
    refused += [f"an old version in the output: {why}" for _, why in purged.refusals]
    if left := [*refused, *_traces(layout, erasure)]:
        raise _not_complete(layout, left)
    erased = load_erased(layout)
    certificate = Certificate(
        erasure_id=erasure.erasure_id,
        began_at=erasure.began_at,
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
        n_images=len(erasure.paths),
        held=erasure.held,
        salted_digests=sorted(erased.salted(digest) for digest in erasure.content_sha256),
        verified=_verified(layout, erasure),
        outside_reach=[*_OUTSIDE_REACH, *outside_reach],
    )
    write_certificate(layout, certificate)
    end_erasure(layout, erasure)
    purge_old_versions(layout.erasing)
    return certificate


def _not_complete(layout: OutputLayout, left: Sequence[str]) -> FruitsError:
    shown, n_more = left[:_N_SHOWN], len(left) - _N_SHOWN
    more = f"; and {n_more} more" if n_more > 0 else ""
    return FruitsError(
        f"the erasure is not complete, for this is left: {'; '.join(shown)}{more}; once that can "
        f"be removed, finish it with: fruits erase --output {layout.output.uri} --finish"
    )


def _traces(layout: OutputLayout, erasure: PendingErasure) -> list[str]:
    """Return what a last look finds of the images, as sentences without names."""
    runs = visible_runs(layout)
    found: list[str] = []
    asked = Asked(paths=frozenset(erasure.paths), content_sha256=frozenset(erasure.content_sha256))
    if rows := select(layout, runs, asked, with_copies=False).rows:
        # A copy that was not asked for keeps its digest; its own path is not among the erased.
        n_rows = sum(row.path in asked.paths for row in rows)
        found += [f"{n_rows} rows in the tables of changes"] if n_rows else []
    for folder in _tables(layout, runs):
        if n_rows := count_affected(folder, erasure.paths).n_rows:
            found.append(f"{n_rows} rows below {folder.uri}")
    for source in map(parse_location, erasure.sources):
        if n_left := sum(count_versions(source, path) for path in erasure.paths):
            found.append(f"{n_left} versions of photographs below {source.uri}")
    kept_models = set(names_in(layout.pca_models)) & set(erasure.model_ids)
    found += [f"the PCA model {model_id}" for model_id in sorted(kept_models)]
    kept = {artefact.name for artefact in registered_artefacts(layout)} & set(erasure.artefacts)
    return [*found, *(f"the artefact {name}" for name in sorted(kept))]


def _tables(layout: OutputLayout, runs: Sequence[RunManifest]) -> list[Location]:
    by_run = [
        table
        for run in runs
        for table in (layout.features(run.run_id), layout.rejected(run.run_id))
    ]
    return [*by_run, layout.output.child("reduced")]


def _verified(layout: OutputLayout, erasure: PendingErasure) -> list[str]:
    versions = ", every version," if layout.output.s3 is not None else ""
    return [
        "the sources of the photographs: " + ", ".join(erasure.sources),
        f"the tables below {layout.output.uri}{versions} row by row: changes, features, rejected "
        "and reduced",
        "PCA models, their statistics and what was registered as made from the images",
    ]
