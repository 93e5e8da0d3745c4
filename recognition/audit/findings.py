"""From what was found of photographs to findings: one row for each thing to look at."""

from collections.abc import Iterable, Iterator, Sequence

from recognition.audit.labels import LabelAudit
from recognition.audit.looking import Looked
from recognition.audit.near_duplicates import Likeness, Pair
from recognition.audit.quality import defects
from recognition.audit.splits import Splits
from spark_assets.output.finding import Finding, FindingKind

_WORST_FIRST = {kind: n for n, kind in enumerate(FindingKind)}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by kind, the worst first."""
    return sorted(findings, key=lambda each: (_WORST_FIRST[each.kind], -each.score, each.path))


def of_pairs(
    pairs: Iterable[Pair],
    paths: Sequence[str],
    labels: Sequence[str | None],
    splits: Splits | None,
) -> Iterator[Finding]:
    """Yield a finding for each photograph that is there twice, with the one most like it.

    Of two splits, it is the one that does not teach whose photograph is at fault.
    """
    best: dict[int, tuple[Pair, int]] = {}
    for pair in pairs:
        row, other = _at_fault(pair, splits)
        if row not in best or pair.alike > best[row][0].alike:
            best[row] = pair, other
    for row, (pair, other) in best.items():
        is_same = pair.likeness is Likeness.CONTENT
        yield Finding(
            paths[row],
            labels[row],
            FindingKind.DUPLICATE if is_same else FindingKind.NEAR_DUPLICATE,
            min(1.0, pair.alike),
            None,
            paths[other],
            _detail(pair, row, other, splits),
        )


def leaked_rows(pairs: Iterable[Pair], splits: Splits) -> set[int]:
    """Return the rows outside of the split that teaches which it holds too."""
    leaked = set()
    for pair in pairs:
        row, other = _at_fault(pair, splits)
        if splits.number[row] and not splits.number[other]:
            leaked.add(row)
    return leaked


def of_labels(
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
            f"to a classifier that has not seen it {labels[doubt.row]} has a probability of "
            f"{doubt.p_label:.1%}, {doubt.suggestion} one of {doubt.p_suggestion:.1%}",
        )
        for doubt in audit.doubts
    ]


def of_quality(
    looked: Looked, paths: Sequence[str], labels: Sequence[str | None]
) -> Iterator[Finding]:
    """Yield a finding for each defect of a photograph that was seen."""
    for row, (quality, size) in enumerate(zip(looked.qualities, looked.sizes, strict=True)):
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


def _detail(pair: Pair, row: int, other: int, splits: Splits | None) -> str:
    match pair.likeness:
        case Likeness.CONTENT:
            how = "the same bytes"
        case Likeness.FRAME:
            how = f"the same photograph encoded anew, alike to {pair.alike:.4f}"
        case Likeness.CROP:
            part = "a part of it" if row == pair.second else "the whole of it"
            how = f"{part}, {pair.share:.0%} of a side, alike to {pair.alike:.3f}"
    if splits is None or splits.number[row] == splits.number[other]:
        return how
    return f"{how}; in {splits.names[splits.number[other]]} too"
