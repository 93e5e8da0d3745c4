"""The path of an audit: read, measure, compare, judge labels, write."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy import float32, intp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.audit import label_issues, near_duplicates, quality
from recognition.audit.audit_findings import (
    findings_from_labels,
    findings_from_pairs,
    findings_from_statistics,
    leaked_rows,
    ordered,
)
from recognition.audit.measure import PixelStatistics, measure_photographs
from recognition.audit.reduce_features import reduce_features
from recognition.audit.splits import Splits, split_photographs
from recognition.current_photographs import MAX_IMAGES, read_current
from recognition.featurize_folder import featurize_test_images
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.images.labels import groups_of
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.commit import begin, commit
from spark_assets.output.findings_table import AuditRecord, Finding, FindingKind, findings_files
from spark_assets.output.manifest import RunManifest, latest_run, new_run_id
from spark_assets.output.output import FINDINGS, Output
from spark_assets.runtime.progress import track
from spark_assets.storage.locations import Location

THRESHOLDS = {
    "min_correlation": near_duplicates.MIN_CORRELATION,
    "min_correlation_same_settings": near_duplicates.MIN_CORRELATION_SAME_SETTINGS,
    "min_cosine_view": near_duplicates.MIN_COSINE_VIEW,
    "max_probability_of_label": label_issues.MAX_PROBABILITY,
    "min_label_agreement": label_issues.MIN_AGREEMENT,
    "min_label_agreement_by_objects": label_issues.MIN_AGREEMENT_OBJECTS,
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
    on the photograph.  ``test_images`` is a folder of photographs that the output may not hold.
    """

    output: Location
    images: Location | None
    split_regex: str | None
    group_by: str | None
    test_images: Location | None


@dataclass(frozen=True, slots=True, eq=False)
class _Audited:
    """The photographs of the output, and then those of the test set, named by their URIs."""

    paths: list[str]
    labels: list[str | None]
    content_sha256: list[str]
    features: NDArray[float32]
    splits: Splits | None
    n_current: int
    statistics: PixelStatistics


def audit_output(options: AuditOptions) -> tuple[AuditRecord, list[Finding]]:
    """Audit an output and write the findings; return the record and them.

    Raises FruitsError where the output has no features, an expression is none, or the test images
    cannot be used.
    """
    output = Output.open(options.output)
    stopwatch = Stopwatch()
    run, audited, objects = _read(output, options, stopwatch)
    # Threads that wait for each other make small matrices twenty times slower where another program
    # is at work too.
    with threadpool_limits(1):
        with stopwatch.stage("compare"), _progress(len(audited.paths)) as advance:
            pairs = near_duplicates.find_duplicates(
                audited.features,
                audited.content_sha256,
                audited.statistics.details,
                audited.statistics.settings,
                None if audited.splits is None else audited.splits.number,
                on_rows=advance,
            )
        with stopwatch.stage("labels"):
            judged = label_issues.audit_labels(
                audited.features, audited.labels, objects, left_out=audited.statistics.defective
            )
    findings = ordered(
        [
            *findings_from_pairs(pairs, audited.paths, audited.labels, audited.splits),
            *findings_from_labels(judged, audited.paths, audited.labels),
            *findings_from_statistics(audited.statistics, audited.paths, audited.labels),
        ]
    )
    record = _record(run, audited, pairs, judged, findings, options)
    record = replace(record, seconds_by_stage=stopwatch.seconds)
    with begin(output.location, new_run_id(output)) as change:
        change.put_folder(FINDINGS, findings_files(record, findings))
        commit(change)
    return record, findings


def _read(
    output: Output, options: AuditOptions, stopwatch: Stopwatch
) -> tuple[RunManifest, _Audited, list[str | None] | None]:
    """Read features and measure pixels; return also the object on each photograph, if asked."""
    with stopwatch.stage("read"):
        photographs = read_current(output)
        run = latest_run(output)
        assert run is not None  # there are features
        paths, of_label = list(photographs.paths), list(photographs.labels)
        digests, features = list(photographs.content_sha256), photographs.features
        n_current, objects, splits = photographs.n_current, None, None
        if options.group_by is not None:
            objects = list(groups_of(paths, options.group_by, "--group-by"))
        if options.test_images is None:
            splits = split_photographs(paths, options.split_regex)
    limits = ImageLimits(**run.options["limits"])
    with stopwatch.stage("measure"):
        source = run.images if options.images is None else options.images
        statistics = measure_photographs(source, paths, limits)
    if options.test_images is not None:
        with stopwatch.stage("test images"):
            test = featurize_test_images(output, run, options.test_images, max_images=MAX_IMAGES)
            statistics = statistics + measure_photographs(options.test_images, test.paths, limits)
        number = np.repeat(np.array([0, 1], intp), [len(paths), len(test.paths)])
        splits = Splits([source.uri, options.test_images.uri], number)
        if objects is not None:  # an object of the test is another one than its namesake
            named = groups_of(test.paths, options.group_by or "", "--group-by")
            objects += [None if name is None else f"test\n{name}" for name in named]
        paths += [options.test_images.child(path).uri for path in test.paths]
        of_label += test.labels
        digests += test.content_sha256
        features = np.concatenate([features, test.features])
        n_current += len(test.paths)
    with stopwatch.stage("reduce"), threadpool_limits(1):
        reduced = reduce_features(features)
    audited = _Audited(paths, of_label, digests, reduced, splits, n_current, statistics)
    return run, audited, objects


@contextmanager
def _progress(n_images: int) -> Iterator[Callable[[int], object]]:
    """Show the progress of the block, which calls what it is given with numbers of images."""
    done: list[int] = []
    with track(lambda: sum(done), n_images=n_images):
        yield done.append


def _record(
    run: RunManifest,
    audited: _Audited,
    pairs: Sequence[near_duplicates.Pair],
    judged: label_issues.LabelAudit,
    findings: Sequence[Finding],
    options: AuditOptions,
) -> AuditRecord:
    n_by_kind = Counter(finding.kind for finding in findings)
    splits = audited.splits
    return AuditRecord(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        n_current=audited.n_current,
        n_looked_at=len(audited.paths),
        n_unreadable=audited.statistics.n_unreadable,
        n_by_kind={str(kind): n_by_kind[kind] for kind in FindingKind},
        splits={} if splits is None else splits.n_by_name(),
        n_leaked=0 if splits is None else len(leaked_rows(pairs, splits)),
        test_images=None if options.test_images is None else options.test_images.uri,
        n_labels_judged=judged.n_judged,
        label_agreement=judged.agreement,
        labels_not_judged=judged.reason,
        thresholds=THRESHOLDS,
        network_sha256=run.feature_model.network_sha256,
        warning=run.feature_model.warning,
        seconds_by_stage={},
    )
