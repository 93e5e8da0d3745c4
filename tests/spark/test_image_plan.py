"""What a run has to do, against a comparison of single images in plain Python."""

import dataclasses
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spark_assets.chain.image_plan import plan_run
from spark_assets.chain.start_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.images.listing import ImageEntry, entries_in, table_of
from spark_assets.images.rejection import Reason
from spark_assets.output.commit import Change
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.spark.made_tables import feature_rows, put_manifest, put_table, rejected_rows
from tests.spark.runs import options_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REASONS = [None, Reason.EMPTY, Reason.UNREADABLE, Reason.TOO_LARGE]


@dataclasses.dataclass(frozen=True)
class Held:
    """What an output holds of an image: rejected if there is a reason."""

    version: int
    reason: Reason | None
    run_id: str

    @property
    def table(self) -> str:
        return "features" if self.reason is None else "rejected"


@pytest.fixture
def started(tmp_path):
    return start(tmp_path)


def start(folder: Path, held: dict[str, Held] | None = None, *, fewer_limits=()) -> StartedRun:
    """Return a run of an output that holds these images, a file for each table and earlier run."""
    options = dataclasses.replace(options_for(folder, folder), confirm_missing=True)
    groups = defaultdict(dict)
    for path, each in (held or {}).items():
        groups[each.table, each.run_id][path] = each
    for (table, run_id), images in groups.items():
        columns = {
            "size_bytes": [each.version for each in images.values()],
            "modified_at": [NOW + timedelta(seconds=each.version) for each in images.values()],
        }
        if table == "rejected":
            reasons = [each.reason for each in images.values()]
            rows = rejected_rows([*images], run_id, reason=reasons, **columns)
        else:
            rows = feature_rows([*images], run_id, **columns)
        put_table(folder / "out", f"{table}/{run_id}.parquet", rows)
    smaller = dataclasses.replace(options.limits, max_bytes=1)
    previous = None
    for run_id in sorted({run_id for _, run_id in groups}):
        limits = smaller if run_id in fewer_limits else options.limits
        previous = put_manifest(folder / "out", run_id, limits=limits)
    output = Output(parse_location(str(folder / "out")))
    return StartedRun("9", "", options, output, previous, Change(output.location, "9"))


def with_options(run: StartedRun, **changes) -> StartedRun:
    return dataclasses.replace(run, options=dataclasses.replace(run.options, **changes))


def planned(run, listed):
    return plan_run(run, table_of(listed))


def entry(path, version):
    return ImageEntry(path, version, NOW + timedelta(seconds=version))


def drawn(generator) -> tuple[dict[str, Held], dict[str, int]]:
    """Draw what is held of six images after two runs, and a source that is often the same."""
    paths = [f"{letter}.jpg" for letter in "abcdef"]
    held = {
        path: Held(
            generator.randrange(3),
            generator.choices(REASONS, [8, 2, 2, 2])[0],
            generator.choice("12"),
        )
        for path in generator.sample(paths, generator.randrange(1, 6))
    }
    source = {path: each.version for path, each in held.items()}
    for _ in range(generator.randrange(4)):
        change = generator.choice(["one less", "one more", "one changed"])
        if change == "one less" and source:
            source.pop(generator.choice(sorted(source)))
        elif change == "one more":
            source.setdefault(generator.choice(paths), 7)
        elif change == "one changed" and source:
            source[generator.choice(sorted(source))] += 10
    return held, source


def expected_of(held, source, *, fewer_limits, keep_missing):
    """Return what a plan has to say, image by image."""
    changed = {
        path
        for path in held.keys() & source.keys()
        if held[path].version != source[path]
        or held[path].reason is Reason.UNREADABLE
        or (held[path].reason is Reason.TOO_LARGE and held[path].run_id in fewer_limits)
    }
    gone = set() if keep_missing else held.keys() - source.keys()
    return {
        "images": sorted((source.keys() - held.keys()) | changed),
        "outdated": sorted(
            (path, f"{held[path].table}/{held[path].run_id}.parquet") for path in gone | changed
        ),
        "n_known": len(held.keys() & source.keys() - changed),
        "n_changed": len(changed),
        "n_deleted": len(gone),
    }


def told(plan):
    outdated = (plan.outdated[name].to_pylist() for name in ("path", "file"))
    return {
        "images": plan.images["path"].to_pylist(),
        "outdated": sorted(zip(*outdated, strict=True)),
        "n_known": plan.n_known,
        "n_changed": plan.n_changed,
        "n_deleted": plan.n_deleted,
    }


def test_it_says_of_each_image_what_a_comparison_of_single_images_says(tmp_path):
    generator = random.Random(3)
    kinds = set()
    for number in range(60):
        held, source = drawn(generator)
        options = {
            "fewer_limits": generator.sample("12", generator.randrange(3)),
            "keep_missing": generator.random() < 0.3,
        }
        run = start(tmp_path / str(number), held, fewer_limits=options["fewer_limits"])
        run = with_options(run, keep_missing=options["keep_missing"])
        expected = expected_of(held, source, **options)
        plan = planned(run, [entry(path, source[path]) for path in sorted(source)])
        assert told(plan) == expected, number
        assert plan.has_work == bool(expected["images"] or expected["n_deleted"])
        kinds.update(name for name, value in expected.items() if value)
    assert len(kinds) == 5, kinds


@pytest.fixture
def of_three(tmp_path):
    return start(tmp_path, {f"{letter}.jpg": Held(1, None, "1") for letter in "abc"})


def test_what_a_part_of_the_source_does_not_hold_is_not_gone(of_three):
    listed = [entry("a.jpg", 1), entry("b.jpg", 1)]
    assert planned(of_three, listed).n_deleted == 1
    plan = planned(with_options(of_three, limit=2), listed)
    assert (plan.n_known, plan.n_deleted, plan.has_work) == (2, 0, False)


def test_images_that_are_gone_by_mistake_are_asked_for(of_three):
    run = with_options(of_three, confirm_missing=False)
    assert planned(run, [entry("a.jpg", 1), entry("b.jpg", 1)]).n_deleted == 1
    with pytest.raises(FruitsError, match=r"2 of the 3 images that .* give --confirm-missing"):
        planned(run, [entry("a.jpg", 1)])


def test_times_that_no_storage_tells_are_the_same(tmp_path):
    run = start(tmp_path, {"a.jpg": Held(1, None, "1")})
    rows = feature_rows(["a.jpg"], modified_at=[None])
    put_table(tmp_path / "out", "features/1.parquet", rows)
    assert not planned(run, [ImageEntry("a.jpg", 1, None)]).has_work
    assert planned(run, [entry("a.jpg", 1)]).n_changed == 1


def test_the_first_run_of_an_output_finds_everything_new(started):
    listed = [entry("a.jpg", 1)]
    plan = planned(started, listed)
    assert ([*entries_in(plan.images)], plan.n_known, plan.outdated.num_rows) == (listed, 0, 0)
    with pytest.raises(FruitsError, match="there are no images under"):
        planned(started, [])
