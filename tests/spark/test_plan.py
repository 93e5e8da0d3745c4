"""What a run has to do, against a comparison of single images in plain Python."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.chain.plan import plan_run
from spark_assets.chain.started_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.images.decoding import Reason
from spark_assets.images.listing import ImageEntry, entries_in, table_of
from spark_assets.output.erasing import PendingErasure, note_erasure
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import Counts
from spark_assets.output.small_tables import open_table
from spark_assets.storage.schemas import CHANGES, Outcome
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


def planned(run, listed):
    return plan_run(run, table_of(listed))


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
    for _ in range(generator.randrange(4)):
        change = generator.choice(["one less", "one more", "one changed"])
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


def expected_of(started, run, listed):
    """Return what a plan has to say, image by image."""
    held = {}
    for earlier in run.earlier:
        for row in open_table(run.layout.changes(earlier.run_id), CHANGES).to_table().to_pylist():
            held[row["path"]] = (row, earlier)
    held = {path: found for path, found in held.items() if found[0]["outcome"] != Outcome.GONE}
    source = {entry.path: entry for entry in listed}
    changed = set()
    for path in held.keys() & source.keys():
        row, earlier = held[path]
        is_same = (row["size_bytes"], row["modified_at"]) == (
            source[path].size_bytes, source[path].modified_at,
        )  # fmt: skip
        allowed_more = row["reason"] == Reason.TOO_LARGE and not earlier.options["limits"]
        if not is_same or row["reason"] == Reason.UNREADABLE or allowed_more:
            changed.add(path)
    gone = set() if run.options.keep_missing else held.keys() - source.keys()
    outdated = [path for path in gone | changed if held[path][0]["outcome"] == Outcome.FEATURES]
    return {
        "images": sorted((source.keys() - held.keys()) | changed),
        "gone": sorted(gone),
        "n_known": len(held.keys() & source.keys() - changed),
        "n_changed": len(changed),
        "n_outdated": len(outdated),
    }


def told(plan):
    return {
        "images": plan.images["path"].to_pylist(),
        "gone": sorted(plan.gone.to_pylist()),
        "n_known": plan.n_known,
        "n_changed": plan.n_changed,
        "n_outdated": plan.n_outdated,
    }


def test_it_says_of_each_image_what_a_comparison_of_single_images_says(started):
    generator = random.Random(3)
    kinds = set()
    for number in range(60):
        layout = OutputLayout(started.options.output.child(str(number)))
        run, listed = drawn(dataclasses.replace(started, layout=layout), generator)
        expected, plan = expected_of(started, run, listed), plan_run(run, table_of(listed))
        assert told(plan) == expected, number
        assert plan.has_work == bool(expected["images"] or expected["gone"])
        kinds.update(name for name, value in expected.items() if value)
    assert len(kinds) == 5, kinds


def test_an_image_that_is_being_erased_is_not_held(started):
    run = dataclasses.replace(
        started, earlier=[noted(started, "1", [("a.jpg", 1, Outcome.FEATURES, None)])]
    )
    assert not planned(run, [entry("a.jpg", 1)]).has_work
    erasure = PendingErasure("1", "", [], ["a.jpg"], [], {}, [], [], {})
    note_erasure(run.layout, erasure)
    assert planned(run, [entry("a.jpg", 1)]).n_images == 1


def test_what_a_part_of_the_source_does_not_hold_is_not_gone(started):
    held = [(name, 1, Outcome.FEATURES, None) for name in ("a.jpg", "b.jpg")]
    run = dataclasses.replace(started, earlier=[noted(started, "1", held)])
    assert planned(run, [entry("a.jpg", 1)]).n_gone == 1
    part = dataclasses.replace(run, options=dataclasses.replace(run.options, limit=1))
    plan = planned(part, [entry("a.jpg", 1)])
    assert (plan.n_known, plan.n_gone, plan.has_work) == (1, 0, False)


def test_images_that_are_gone_by_mistake_are_asked_for(started):
    held = [(name, 1, Outcome.FEATURES, None) for name in ("a.jpg", "b.jpg", "c.jpg")]
    options = dataclasses.replace(started.options, confirm_missing=False)
    run = dataclasses.replace(started, options=options, earlier=[noted(started, "1", held)])
    assert planned(run, [entry("a.jpg", 1), entry("b.jpg", 1)]).n_gone == 1
    with pytest.raises(FruitsError, match=r"2 of the 3 images that .* give --confirm-missing"):
        planned(run, [entry("a.jpg", 1)])


def test_the_first_run_of_an_output_finds_everything_new(started):
    listed = [entry("a.jpg", 1)]
    plan = planned(started, listed)
    assert ([*entries_in(plan.images)], plan.n_known) == (listed, 0)
    with pytest.raises(FruitsError, match="there are no images under"):
        planned(started, [])
