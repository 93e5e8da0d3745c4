"""What an audit has found of a photograph, and the record of the audit, as values."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What may be wrong with a photograph, in the order of tables and reports."""

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
    n_current, n_looked_at, n_unreadable : int
        Images of the output and of ``test_images``; how many of them were audited, all or a
        sample; how many could not be read, so that nothing is known of their pixels.
    n_by_kind : dict
        Findings by kind: every kind has an entry.
    splits : dict
        Images by split, empty where there are none; ``n_leaked`` counts those outside of the
        training split that it holds a duplicate or near duplicate of.
    test_images : str or None
        The folder of test photographs that were audited together with the output's.
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
    n_current: int
    n_looked_at: int
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
        """Whether the output held more than was looked at."""
        return self.n_looked_at < self.n_current
