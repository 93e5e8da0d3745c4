"""What the newest audit has found of the photographs of an output.

``findings/`` is a Parquet table, and in it the record of the audit, which readers of tables leave
out for its name.  The record is removed first and written last, so that readers see all of an audit
or none.  Both are registered as made from the runs that the audit looked at: an erasure of any of
their images removes them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.files import delete_file, delete_folder, names_in, read_json, write_json
from spark_assets.locations import Location
from spark_assets.output.artefacts import RegisteredArtefact, register_artefact
from spark_assets.output.erasing import hidden_paths
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import open_table, read_table, write_table
from spark_assets.schemas import CHANGES, FINDINGS

_NAME = "findings"
_RECORD = "_summary.json"


class FindingKind(StrEnum):
    """What may be wrong with a photograph, in the order in which it is told."""

    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    WRONG_LABEL = "wrong_label"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    BLURRED = "blurred"
    TINY = "tiny"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table; ``score`` is from 0 to 1, the higher the worse."""

    path: str
    label: str | None
    kind: FindingKind
    score: float
    suggestion: str | None
    related_path: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What ``_summary.json`` says of an audit.

    Attributes
    ----------
    made_at : str
        ISO 8601.
    made_from : list of str
        The runs whose images it looked at.
    n_current, n_looked_at, n_unreadable : int
        Images of the output; of these it looked at so many, all or a sample, and could not read so
        many, whose pixels it knows nothing of.
    n_by_kind : dict
        Findings by kind: every kind has an entry.
    splits : dict
        Images by split, empty where there are none; ``n_leaked`` counts those that are in the
        training split too.
    against : str or None
        The other output whose images were compared with.
    n_labels_judged, label_agreement, labels_not_judged
        How many labels were looked at, the share that a classifier names out of fold, and why no
        label is doubted, where that has a reason.
    thresholds : dict
        By name.
    network_sha256, warning : str, str or None
        The network of the features, and what its weights are warned of.
    seconds_by_stage : dict
        Wall time.
    """

    made_at: str
    made_from: list[str]
    n_current: int
    n_looked_at: int
    n_unreadable: int
    n_by_kind: dict[str, int]
    splits: dict[str, int]
    n_leaked: int
    against: str | None
    n_labels_judged: int
    label_agreement: float | None
    labels_not_judged: str | None
    thresholds: dict[str, float]
    network_sha256: str
    warning: str | None
    seconds_by_stage: dict[str, float]

    @property
    def is_sample(self) -> bool:
        """Whether the output held more than was looked at."""
        return self.n_looked_at < self.n_current


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
