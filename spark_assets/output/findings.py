"""What the newest audit has found of the photographs of an output.

``findings/`` is a Parquet table, and in it the record of the audit, which readers of tables leave
out for its name.  The record is removed first and written last, so that readers see all of an audit
or none.  Both are registered as made from the runs that the audit looked at: an erasure of any of
their images removes them.
"""

from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.artefacts import RegisteredArtefact, register_artefact
from spark_assets.output.erasing import hidden_paths
from spark_assets.output.finding import AuditRecord, Finding, FindingKind
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import open_table, read_table, write_table
from spark_assets.storage.files import delete_file, delete_folder, names_in, read_json, write_json
from spark_assets.storage.locations import Location
from spark_assets.storage.schemas import CHANGES, FINDINGS

_NAME = "findings"
_RECORD = "_summary.json"


def write_findings(
    layout: OutputLayout, record: AuditRecord, findings: Sequence[Finding]
) -> Location:
    """Put an audit in place of an earlier one; return where the table is.

    Raises FruitsError where the lease of the output was lost.
    """
    check_lease(layout)
    register_artefact(layout, RegisteredArtefact(_NAME, _NAME, record.made_from))
    delete_file(layout.findings.child(_RECORD))
    delete_folder(layout.findings)
    rows = [asdict(finding) | {"kind": str(finding.kind)} for finding in findings]
    write_table(pa.Table.from_pylist(rows, FINDINGS), layout.findings)
    check_lease(layout)
    write_json(layout.findings.child(_RECORD), asdict(record))
    return layout.findings


def audit_record(layout: OutputLayout, runs: Sequence[RunManifest]) -> AuditRecord | None:
    """Return the record of the newest audit, None where there is none of the finished ``runs``."""
    value = read_json(layout.findings.child(_RECORD))
    record = None if value is None else AuditRecord(**value)
    is_of_them = record is not None and set(record.made_from) <= {run.run_id for run in runs}
    return record if is_of_them else None


def dead_findings(layout: OutputLayout, runs: Sequence[RunManifest]) -> list[Location]:
    """Return what no reader sees: an audit that did not end, or one of runs that were replaced."""
    if audit_record(layout, runs) is not None:
        return []
    note = f"{_NAME}.json"
    is_noted = note in names_in(layout.artefacts)
    # The note is the last to go: what is left of the folder is found by it.
    return [
        *([layout.findings] if names_in(layout.findings) else []),
        *([layout.artefacts.child(note)] if is_noted else []),
    ]


def current_findings(
    layout: OutputLayout, runs: Sequence[RunManifest], record: AuditRecord
) -> list[Finding]:
    """Return the findings whose images no later run has looked at again or found gone.

    Those of images that are being erased are left out too.  In the order of the table: by kind, and
    the worst first.
    """
    table = read_table([layout.findings], FINDINGS)
    columns = [table.column(name).to_pylist() for name in ("path", "related_path")]
    named = pa.array({path for column in columns for path in column if path is not None})
    outdated = {*hidden_paths(layout), *_noted_since(layout, runs, record, named.cast(pa.string()))}
    return [
        Finding(**row | {"kind": FindingKind(row["kind"])})
        for row in table.to_pylist()
        if row["path"] not in outdated and row["related_path"] not in outdated
    ]


def _noted_since(
    layout: OutputLayout, runs: Sequence[RunManifest], record: AuditRecord, paths: pa.Array
) -> list[str]:
    """Return which of some paths the runs after an audit have noted."""
    later = [run.run_id for run in runs if run.run_id not in record.made_from]
    noted: list[str] = []
    for run_id in later:
        changes = open_table(layout.changes(run_id), CHANGES)
        rows = changes.to_table(columns=["path"], filter=pc.field("path").isin(paths))
        noted += rows.column("path").to_pylist()
    return noted
