"""The path of an audit: read, look at the photographs, compare, judge labels, write."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy import intp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.audit import findings as found
from recognition.audit import labels, near_duplicates, quality
from recognition.audit.looking import Looked, look_at
from recognition.audit.splits import Splits, split_photographs
from recognition.current import CurrentPhotographs, read_current
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.naming import groups_of
from spark_assets.output.commit import begin, commit
from spark_assets.output.finding import AuditRecord, Finding, FindingKind
from spark_assets.output.findings import findings_files
from spark_assets.output.ids import new_run_id
from spark_assets.output.manifest import RunManifest, latest_run
from spark_assets.output.output import FINDINGS, Output
from spark_assets.storage.locations import Location

THRESHOLDS = {
    "min_alike_frame": near_duplicates.MIN_ALIKE_FRAME,
    "min_alike_crop": near_duplicates.MIN_ALIKE_CROP,
    "max_share_crop": near_duplicates.MAX_SHARE_CROP,
    "max_probability_of_label": labels.MAX_PROBABILITY,
    "min_label_agreement": labels.MIN_AGREEMENT,
    "min_label_agreement_by_objects": labels.MIN_AGREEMENT_OBJECTS,
    "max_brightest": float(quality.MAX_DARK),
    "min_blown": quality.MIN_BLOWN,
    "max_sharpness": quality.MAX_BLURRED,
    "min_side_px": float(quality.MIN_SIDE_PX),
}


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What an audit is asked for.

    ``images`` None means where the newest run read the photographs.  ``split_regex`` and
    ``group_by`` are expressions of RE2 whose first group in a path names its split, and the object
    on the photograph.  ``against`` is another output, of the same network, whose photographs must
    not be in this one.
    """

    output: Location
    images: Location | None
    split_regex: str | None
    group_by: str | None
    against: Location | None


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Photographs of one output, and what was seen of them."""

    photographs: CurrentPhotographs
    looked: Looked
    run: RunManifest


def audit_output(options: AuditOptions) -> tuple[AuditRecord, list[Finding]]:
    """Audit an output and write what is found; return both.

    Raises FruitsError where it has no features, an expression is none, or ``against`` holds
    features of another network.
    """
    output = Output.open(options.output)
    stopwatch = Stopwatch()
    with stopwatch.stage("read"):
        run, photographs = _read(output)
        other = None if options.against is None else _read_other(options.against, run)
        splits = _splits(photographs, other, options)
        objects = (
            None
            if options.group_by is None
            else groups_of(photographs.paths, options.group_by, "--group-by")
        )
    with stopwatch.stage("look"):
        side = _Side(photographs, _look(photographs, run, options.images), run)
        other_side = None
        if other is not None:
            other_side = _Side(other[1], _look(other[1], other[0], None), other[0])
    with stopwatch.stage("compare"), threadpool_limits(1):
        pairs = _pairs(side, other_side, splits)
    # Threads that wait for each other make small matrices twenty times slower where another program
    # is at work too.
    with stopwatch.stage("labels"), threadpool_limits(1):
        judged = labels.audit_labels(
            photographs.features, photographs.labels, objects, left_out=side.looked.spoilt
        )
    findings = found.ordered(
        [
            *_of_pairs(pairs, side, other_side, splits, options),
            *found.of_labels(judged, photographs.paths, photographs.labels),
            *found.of_quality(side.looked, photographs.paths, photographs.labels),
        ]
    )
    record = _record(side, splits, pairs, judged, findings, options)
    record = replace(record, seconds_by_stage=stopwatch.seconds)
    with begin(output.location, new_run_id(output)) as change:
        change.put_folder(FINDINGS, findings_files(record, findings))
        commit(change)
    return record, findings


def _read(output: Output) -> tuple[RunManifest, CurrentPhotographs]:
    photographs = read_current(output)
    latest = latest_run(output)
    assert latest is not None  # there are features
    return latest, photographs


def _read_other(against: Location, run: RunManifest) -> tuple[RunManifest, CurrentPhotographs]:
    """Read the output that is compared with.  Raises FruitsError for one of another network."""
    other, photographs = _read(Output.open(against))
    if other.feature_model.network_sha256 != run.feature_model.network_sha256:
        raise FruitsError(
            f"the features in {against.uri} are of another network, so that no distance to them "
            "means anything; give an output of the same weights, alpha and image size, or "
            "featurize it again"
        )
    return other, photographs


def _splits(
    photographs: CurrentPhotographs,
    other: tuple[RunManifest, CurrentPhotographs] | None,
    options: AuditOptions,
) -> Splits | None:
    """Return the splits of all photographs; the other output, where there is one, teaches."""
    if other is None:
        return split_photographs(photographs.paths, options.split_regex)
    assert options.against is not None
    number = np.repeat([1, 0], [len(photographs), len(other[1])]).astype(intp)
    return Splits([options.against.uri, options.output.uri], number)


def _look(photographs: CurrentPhotographs, run: RunManifest, images: Location | None) -> Looked:
    source = run.images if images is None else images
    return look_at(source, photographs.paths, ImageLimits(**run.options["limits"]))


def _pairs(side: _Side, other: _Side | None, splits: Splits | None) -> list[near_duplicates.Pair]:
    sides = [side] if other is None else [side, other]
    pairs = near_duplicates.find_duplicates(
        np.concatenate([each.photographs.features for each in sides]),
        [digest for each in sides for digest in each.photographs.content_sha256],
        np.concatenate([each.looked.thumbnails for each in sides]),
        np.concatenate([each.looked.is_readable for each in sides]),
        None if splits is None else splits.number,
    )
    n_own = len(side.photographs)
    return [pair for pair in pairs if min(pair.first, pair.second) < n_own]


def _of_pairs(
    pairs: Sequence[near_duplicates.Pair],
    side: _Side,
    other: _Side | None,
    splits: Splits | None,
    options: AuditOptions,
) -> list[Finding]:
    paths, of_label = list(side.photographs.paths), list(side.photographs.labels)
    if other is not None:
        # Whole places: a path alone would name a photograph of this output.
        source = other.run.images
        paths += [source.child(path).uri for path in other.photographs.paths]
        of_label += other.photographs.labels
    return list(found.of_pairs(pairs, paths, of_label, splits))


def _record(
    side: _Side,
    splits: Splits | None,
    pairs: Sequence[near_duplicates.Pair],
    judged: labels.LabelAudit,
    findings: Sequence[Finding],
    options: AuditOptions,
) -> AuditRecord:
    n_by_kind = Counter(finding.kind for finding in findings)
    facts = side.run.feature_model
    return AuditRecord(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        n_current=side.photographs.n_current,
        n_looked_at=len(side.photographs),
        n_unreadable=side.looked.n_unreadable,
        n_by_kind={str(kind): n_by_kind[kind] for kind in FindingKind},
        splits={} if splits is None else splits.n_by_name(),
        n_leaked=0 if splits is None else len(found.leaked_rows(pairs, splits)),
        against=None if options.against is None else options.against.uri,
        n_labels_judged=judged.n_judged,
        label_agreement=judged.agreement,
        labels_not_judged=judged.reason,
        thresholds=THRESHOLDS,
        network_sha256=facts.network_sha256,
        warning=facts.warning,
        seconds_by_stage={},
    )
