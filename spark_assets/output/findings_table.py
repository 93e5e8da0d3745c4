"""The findings of the newest audit: a Parquet table in ``findings/``, and the record of the audit.

Readers of the table skip the record for its name, ``_summary.json``.  A finding is removed with the
photographs that it names.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change
from spark_assets.output.output import FINDINGS as FOLDER
from spark_assets.output.output import Output
from spark_assets.storage.files import to_json
from spark_assets.storage.parquet import from_parquet, to_parquet
from spark_assets.storage.schemas import FINDINGS

FINDINGS_PATH = f"{FOLDER}/findings.parquet"
_RECORD = "_summary.json"


class FindingKind(StrEnum):
    """Kinds of findings, in the order of tables and reports."""

    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    SIMILAR_VIEW = "similar_view"
    WRONG_LABEL = "wrong_label"
    UNDEREXPOSED = "underexposed"
    OVEREXPOSED = "overexposed"
    BLURRED = "blurred"
    LOW_RESOLUTION = "low_resolution"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table; ``score`` is from 0 to 1, higher is worse."""

    path: str
    label: str | None
    kind: FindingKind
    score: float
    suggestion: str | None
    related_path: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """The content of ``_summary.json``.

    Attributes
    ----------
    made_at : str
        ISO 8601.
    n_current, n_audited, n_unreadable : int
        Images of the output and of ``test_images``; those audited (all, or a random sample); those
        whose pixels could not be read.
    n_by_kind : dict
        Number of findings of every kind.
    splits : dict
        Images by split, if any.
    n_leaked : int
        Images of other splits with a duplicate or near duplicate in the training split.
    test_images : str or None
        The folder of test photographs that were audited with the output.
    n_labels_judged : int
        Labels with enough photographs for the search of wrong ones.
    label_agreement : float or None
        Share of labels that an out-of-fold classifier predicts.
    labels_not_judged : str or None
        Why no label was checked.
    thresholds : dict
        By name.
    network_sha256, warning : str, str or None
        The feature model, and the warning about its weights.
    seconds_by_stage : dict
        Wall time in seconds.
    """

    made_at: str
    n_current: int
    n_audited: int
    n_unreadable: int
    n_by_kind: dict[str, int]
    splits: dict[str, int]
    n_leaked: int
    test_images: str | None
    n_labels_judged: int
    label_agreement: float | None
    labels_not_judged: str | None
    thresholds: dict[str, float]
    network_sha256: str
    warning: str | None
    seconds_by_stage: dict[str, float]

    @property
    def is_sample(self) -> bool:
        """Whether a sample was audited, not all images."""
        return self.n_audited < self.n_current


def findings_files(record: AuditRecord, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Return the files of ``findings/`` by name."""
    rows = [asdict(finding) | {"kind": str(finding.kind)} for finding in findings]
    table = to_parquet(pa.Table.from_pylist(rows, FINDINGS))
    return {FINDINGS_PATH.rpartition("/")[2]: table, _RECORD: to_json(asdict(record))}


def audit_record(output: Output) -> AuditRecord | None:
    """Return the record of the newest audit, or None.

    Raises FruitsError for the file of a version with other fields.
    """
    content = output.folder(FOLDER).read(_RECORD)
    try:
        return None if content is None else AuditRecord(**json.loads(content))
    except TypeError as error:
        raise FruitsError(
            f"{output.uri}/{FOLDER}/{_RECORD} does not describe an audit of this version; "
            f"audit again with: fruits audit --output {output.uri}"
        ) from error


def current_findings(output: Output) -> list[Finding]:
    """Return the findings in the order of the table: by kind, worst first."""
    content = output.read(FINDINGS_PATH)
    rows = [] if content is None else from_parquet(content).to_pylist()
    return [Finding(**row | {"kind": FindingKind(row["kind"])}) for row in rows]


def remove_findings(output: Output, change: Change, paths: pa.Array) -> None:
    """Remove the findings that name any of ``paths``."""
    content = output.read(FINDINGS_PATH)
    if content is None:
        return
    held = from_parquet(content)
    names_one = pc.or_kleene(
        pc.is_in(held["path"], value_set=paths), pc.is_in(held["related_path"], value_set=paths)
    )
    if pc.any(names_one).as_py():
        change.put(FINDINGS_PATH, to_parquet(held.filter(pc.invert(names_one))))
