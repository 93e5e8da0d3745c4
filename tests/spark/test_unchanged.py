"""What is told without Spark of a source is what Spark's plan comes to."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.chain.listing import list_photographs
from spark_assets.chain.plan import plan_more
from spark_assets.chain.started_run import StartedRun
from spark_assets.chain.unchanged import is_unchanged
from spark_assets.images.decoding import Reason
from spark_assets.images.listing import ImageEntry
from spark_assets.output.erasing import PendingErasure, note_erasure
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import Counts
from spark_assets.schemas import CHANGES, Outcome
from tests.spark.runs import options_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OUTCOMES = [
    (Outcome.FEATURES, None),
    (Outcome.REJECTED, str(Reason.EMPTY)),
    (Outcome.REJECTED, str(Reason.UNREADABLE)),
    (Outcome.REJECTED, str(Reason.TOO_LARGE)),
    (Outcome.GONE, None),
]


@dataclasses.dataclass(frozen=True)
class Earlier:
    """As much of a manifest as a plan looks at."""

    run_id: str
    options: dict
    counts: Counts


@pytest.fixture
def started(tmp_path):
    options = dataclasses.replace(options_for(tmp_path, tmp_path), confirm_missing=True)
    return StartedRun("9", "", options, OutputLayout(options.output), [])


def noted(started, run_id, rows, *, same_limits=True):
    """Write what a run has noted of images: path, version, outcome and reason."""
    folder = started.layout.changes(run_id)
    folder.filesystem.create_dir(folder.base)
    columns = {
        "path": [path for path, *_ in rows],
        "label": [None] * len(rows),
        "size_bytes": [None if o is Outcome.GONE else version for _, version, o, _ in rows],
        "modified_at": [
            None if o is Outcome.GONE else NOW + timedelta(seconds=v) for _, v, o, _ in rows
        ],
        "content_sha256": ["0" if o is Outcome.FEATURES else None for _, _, o, _ in rows],
        "outcome": [str(outcome) for _, _, outcome, _ in rows],
        "reason": [reason for *_, reason in rows],
    }
    table = pa.table(columns, schema=CHANGES)
    pyarrow.parquet.write_table(table, f"{folder.base}/part-0.parquet")
    n_gone = sum(outcome is Outcome.GONE for _, _, outcome, _ in rows)
    counts = Counts(len(rows) - n_gone, 0, len(rows) - n_gone, 0, {}, n_gone=n_gone)
    limits = dataclasses.asdict(started.options.limits)
    return Earlier(run_id, {"limits": limits if same_limits else {}}, counts)


def entry(path, version):
    return ImageEntry(path, version, NOW + timedelta(seconds=version))


def drawn(started, generator):
    """Draw two runs over six images, and a source that is often what they hold."""
    paths = [f"{letter}.jpg" for letter in "abcdef"]
    held, runs = {}, []
    for run_id in "12":
        rows = []
        for path in generator.sample(paths, 4):
            outcome, reason = generator.choices(OUTCOMES, [8, 2, 1, 1, 2])[0]
            rows.append((path, generator.randrange(3), outcome, reason))
            held[path] = None if outcome is Outcome.GONE else rows[-1][1]
        runs.append(noted(started, run_id, rows, same_limits=generator.random() < 0.5))
    source = {path: version for path, version in held.items() if version is not None}
    change = generator.choice(["nothing", "nothing", "one less", "one more", "one changed"])
    if change == "one less" and source:
        source.pop(generator.choice(sorted(source)))
    elif change == "one more":
        source.setdefault(generator.choice(paths), 7)
    elif change == "one changed" and source:
        source[generator.choice(sorted(source))] += 10
    keep_missing = generator.random() < 0.3
    options = dataclasses.replace(started.options, keep_missing=keep_missing)
    listed = [entry(path, source[path]) for path in sorted(source)]
    return dataclasses.replace(started, earlier=runs, options=options), listed


@pytest.mark.slow
def test_it_is_told_as_by_the_plan_of_spark(spark, started):
    generator = random.Random(3)
    told = []
    for number in range(16):
        layout = OutputLayout(started.options.output.child(str(number)))
        run, listed = drawn(dataclasses.replace(started, layout=layout), generator)
        images, labels = run.options.images, run.options.labels
        stored = list_photographs(spark, images, run.staging, labels=labels, small=listed)
        has_work = plan_more(spark, run, stored).has_work
        assert is_unchanged(run, listed) != has_work, number
        told.append(has_work)
    assert 4 <= sum(told) <= 12  # both happen


def test_an_image_that_is_being_erased_is_not_held(started):
    run = dataclasses.replace(
        started, earlier=[noted(started, "1", [("a.jpg", 1, Outcome.FEATURES, None)])]
    )
    assert is_unchanged(run, [entry("a.jpg", 1)])
    erasure = PendingErasure("1", "", [], ["a.jpg"], [], {}, [], [], {})
    note_erasure(run.layout, erasure)
    assert not is_unchanged(run, [entry("a.jpg", 1)])


def test_the_first_run_of_an_output_finds_everything_new(started):
    assert not is_unchanged(started, [])
