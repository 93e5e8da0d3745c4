"""Findings from pairs, doubted labels and pixel statistics: one row each."""

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
    """Yield a finding for each photograph that is there twice or nearly so, with its best pair.

    The same bytes come before a near duplicate, and that before a similar view.  Of two splits, it
    is the photograph outside of the training split that is at fault.
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
    """Return the rows outside of the training split of which it holds a duplicate."""
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
    """Return a finding for each label that is doubted."""
    return [
        Finding(
            paths[doubt.row],
            labels[doubt.row],
            FindingKind.WRONG_LABEL,
            1 - doubt.p_label,
            doubt.suggestion,
            None,
            f"out-of-fold probability: {labels[doubt.row]} {doubt.p_label:.1%}, "
            f"{doubt.suggestion} {doubt.p_suggestion:.1%}",
        )
        for doubt in audit.doubts
    ]


def findings_from_statistics(
    statistics: PixelStatistics, paths: Sequence[str], labels: Sequence[str | None]
) -> Iterator[Finding]:
    """Yield a finding for each defect of a photograph that was seen."""
    measured = zip(statistics.qualities, statistics.sizes, strict=True)
    for row, (quality, size) in enumerate(measured):
        if quality is not None and size is not None:
            for found in defects(quality, *size):
                yield Finding(
                    paths[row], labels[row], found.kind, found.score, None, None, found.detail
                )


def _at_fault(pair: Pair, splits: Splits | None) -> tuple[int, int]:
    """Return which photograph of a pair is to be looked at, and the other one."""
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
