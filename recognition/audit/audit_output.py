"""The audit of an output: read, measure, compare, judge labels, write."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from recognition.audit.measure import measure_photographs
from recognition.audit.reduce_features import reduce_features
from recognition.audit.splits import Splits, split_photographs
from recognition.current_photographs import MAX_IMAGES, read_current
from recognition.featurize_folder import FeaturizedFolder, featurize_test_images
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.images.labels import groups_of
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.commit import begin, commit
from spark_assets.output.findings_table import AuditRecord, Finding, FindingKind, findings_files
from spark_assets.output.manifest import latest_run, new_run_id
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
    "max_brightest": float(quality.MAX_UNDEREXPOSED),
    "min_clipped": quality.MIN_CLIPPED,
    "max_sharpness": quality.MAX_BLURRED,
    "min_side_px": float(quality.MIN_SIDE_PX),
}


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The options of ``fruits audit``.

    ``images`` None: the images URI of the newest run.  ``test_images`` may be in the output or not.
    """

    output: Location
    images: Location | None
    split_regex: str | None
    group_by: str | None
    test_images: Location | None


@dataclass(frozen=True, slots=True, eq=False)
class _Photographs:
    """Photographs of the output, or of a test set, whose paths are URIs.

    ``features`` is (n, n_features); ``objects`` is None without ``--group-by``.
    """

    paths: list[str]
    labels: list[str | None]
    content_sha256: list[str]
    features: NDArray[float32]
    objects: list[str | None] | None
    n_current: int

    def __add__(self, other: "_Photographs") -> "_Photographs":
        objects = None
        if self.objects is not None and other.objects is not None:
            objects = self.objects + other.objects
        return _Photographs(
            self.paths + other.paths,
            self.labels + other.labels,
            self.content_sha256 + other.content_sha256,
            np.concatenate([self.features, other.features]),
            objects,
            self.n_current + other.n_current,
        )


def audit_output(options: AuditOptions) -> tuple[AuditRecord, list[Finding]]:
    """Audit an output and write the findings; return the record and the findings.

    Raises FruitsError where the output has no features, an expression is invalid, or the test
    images cannot be used.
    """
    output = Output.open(options.output)
    stopwatch = Stopwatch()
    with stopwatch.stage("read"):
        photographs = _current(output, options)
        run = latest_run(output)
        assert run is not None  # there are features
        splits = None
        if options.test_images is None:
            splits = split_photographs(photographs.paths, options.split_regex)
    limits = ImageLimits(**run.options["limits"])
    source = run.images if options.images is None else options.images
    with stopwatch.stage("measure"):
        statistics = measure_photographs(source, photographs.paths, limits)
    if options.test_images is not None:
        with stopwatch.stage("test images"):
            test = featurize_test_images(output, run, options.test_images, max_images=MAX_IMAGES)
            statistics = statistics + measure_photographs(options.test_images, test.paths, limits)
        numbers = np.repeat(np.array([0, 1], intp), [len(photographs.paths), len(test.paths)])
        splits = Splits([source.uri, options.test_images.uri], numbers)
        photographs = photographs + _test_set(test, options.test_images, options.group_by)
    paths, of_label = photographs.paths, photographs.labels
    # BLAS threads make small matrices twenty times slower where another program is at work too.
    with threadpool_limits(1):
        with stopwatch.stage("reduce"):
            vectors = reduce_features(photographs.features)
        with stopwatch.stage("compare"), _progress(len(paths)) as advance:
            pairs = near_duplicates.find_duplicates(
                vectors,
                photographs.content_sha256,
                statistics.details,
                statistics.settings,
                None if splits is None else splits.number,
                on_rows=advance,
            )
        with stopwatch.stage("labels"):
            judged = label_issues.audit_labels(
                vectors, of_label, photographs.objects, left_out=statistics.defective
            )
    findings = ordered(
        [
            *findings_from_pairs(pairs, paths, of_label, splits),
            *findings_from_labels(judged, paths, of_label),
            *findings_from_statistics(statistics, paths, of_label),
        ]
    )
    n_by_kind = Counter(finding.kind for finding in findings)
    record = AuditRecord(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        n_current=photographs.n_current,
        n_audited=len(paths),
        n_unreadable=statistics.n_unreadable,
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
        seconds_by_stage=stopwatch.seconds,
    )
    with begin(output.location, new_run_id(output)) as change:
        change.put_folder(FINDINGS, findings_files(record, findings))
        commit(change)
    return record, findings


def _current(output: Output, options: AuditOptions) -> _Photographs:
    read = read_current(output)
    objects = None
    if options.group_by is not None:
        objects = groups_of(read.paths, options.group_by, "--group-by")
    return _Photographs(
        read.paths, read.labels, read.content_sha256, read.features, objects, read.n_current
    )


def _test_set(test: FeaturizedFolder, images: Location, group_by: str | None) -> _Photographs:
    objects = None
    if group_by is not None:  # an object of the test set is another one than its namesake
        names = groups_of(test.paths, group_by, "--group-by")
        objects = [None if name is None else f"test\n{name}" for name in names]
    uris = [images.child(path).uri for path in test.paths]
    return _Photographs(
        uris, test.labels, test.content_sha256, test.features, objects, len(test.paths)
    )


@contextmanager
def _progress(n_images: int) -> Iterator[Callable[[int], object]]:
    """Show the progress of the block, which calls the yielded function with numbers of images."""
    done: list[int] = []
    with track(lambda: sum(done), n_images=n_images):
        yield done.append
