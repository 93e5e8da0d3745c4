"""Findings from pairs, label issues and pixel statistics: one row each."""

from collections.abc import Iterable, Iterator, Sequence

from recognition.audit.label_issues import LabelAudit
from recognition.audit.measure import PixelStatistics
from recognition.audit.near_duplicates import Pair
from recognition.audit.quality import defects
from recognition.audit.splits import Splits
from spark_assets.output.findings_table import Finding, FindingKind

_WORST_FIRST = {kind: n for n, kind in enumerate(FindingKind)}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by kind, the worst first."""
    return sorted(findings, key=lambda each: (_WORST_FIRST[each.kind], -each.score, each.path))


def findings_from_pairs(
    pairs: Iterable[Pair],
    paths: Sequence[str],
    labels: Sequence[str | None],
    splits: Splits | None,
) -> Iterator[Finding]:
    """Yield a finding for each duplicate, near duplicate or similar view, with its best pair.

    The same bytes come before a near duplicate, and that before a similar view.  Across two splits,
    the finding is of the photograph outside of the training split.
    """
    best: dict[int, tuple[Pair, int]] = {}
    for pair in pairs:
        row, other = _at_fault(pair, splits)
        if row not in best or _strength(pair) > _strength(best[row][0]):
            best[row] = pair, other
    for row, (pair, other) in best.items():
        yield Finding(
            paths[row],
            labels[row],
            pair.kind,
            pair.similarity,
            None,
            paths[other],
            _detail(pair, row, other, splits),
        )


def leaked_rows(pairs: Iterable[Pair], splits: Splits) -> set[int]:
    """Return the rows of other splits whose duplicate is in the training split."""
    leaked = set()
    for pair in pairs:
        row, other = _at_fault(pair, splits)
        is_copy = pair.kind is not FindingKind.SIMILAR_VIEW
        if is_copy and splits.number[row] and not splits.number[other]:
            leaked.add(row)
    return leaked


def findings_from_labels(
    audit: LabelAudit, paths: Sequence[str], labels: Sequence[str | None]
) -> list[Finding]:
    """Return a finding for each label issue."""
    return [
        Finding(
            paths[issue.row],
            labels[issue.row],
            FindingKind.WRONG_LABEL,
            1 - issue.p_label,
            issue.suggestion,
            None,
            f"out-of-fold probability: {labels[issue.row]} {issue.p_label:.1%}, "
            f"{issue.suggestion} {issue.p_suggestion:.1%}",
        )
        for issue in audit.issues
    ]


def findings_from_statistics(
    statistics: PixelStatistics, paths: Sequence[str], labels: Sequence[str | None]
) -> Iterator[Finding]:
    """Yield a finding for each defect."""
    for row, quality in enumerate(statistics.qualities):
        if quality is not None:
            for each in defects(quality):
                yield Finding(
                    paths[row], labels[row], each.kind, each.score, None, None, each.detail
                )


def _at_fault(pair: Pair, splits: Splits | None) -> tuple[int, int]:
    """Return the row of a pair that the finding is of, and the other one."""
    if splits is not None and splits.number[pair.first] > splits.number[pair.second]:
        return pair.first, pair.second
    return pair.second, pair.first


def _strength(pair: Pair) -> tuple[int, float]:
    return -_WORST_FIRST[pair.kind], pair.similarity


def _detail(pair: Pair, row: int, other: int, splits: Splits | None) -> str:
    match pair.kind:
        case FindingKind.DUPLICATE:
            how = "the same bytes"
        case FindingKind.NEAR_DUPLICATE:
            how = f"re-encoded: correlation of details {pair.similarity:.5f}"
        case _:
            how = f"similar view: cosine of features {pair.similarity:.3f}"
    if splits is None or splits.number[row] == splits.number[other]:
        return how
    return f"{how}; the other in {splits.names[splits.number[other]]}"
