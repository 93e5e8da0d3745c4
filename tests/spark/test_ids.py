from datetime import UTC, datetime, timedelta

import pytest

from spark_assets.output import ids
from spark_assets.output.history import current_features, current_rejected, visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.storage.locations import parse_location
from tests.spark.runs import current_paths, options_for, put, run, save, touch

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path) -> OutputLayout:
    return OutputLayout(parse_location(str(tmp_path / "out")))


def test_the_first_id_tells_the_second_it_was_made_in():
    assert ids.next_id([], NOON).startswith("20260131T120000Z-")


def test_the_clock_decides_where_it_is_later_than_every_id():
    assert ids.next_id(["20260131T115959Z-ffffff"], NOON).startswith("20260131T120000Z-")


@pytest.mark.parametrize("held", ["20260131T120000Z-ffffff", "20270131T120000Z-000000"])
def test_an_id_of_the_same_second_or_of_the_future_is_followed_by_a_later_one(held):
    made = ids.next_id(["20250101T000000Z-aaaaaa", held], NOON)
    assert made > held
    assert made[9:16] == "120001Z"


def test_a_frozen_clock_gives_increasing_ids():
    made: list[str] = []
    for _ in range(100):
        made.append(ids.next_id(reversed(made), NOON))
    assert made == sorted(set(made))


def test_a_clock_that_goes_back_gives_increasing_ids():
    made: list[str] = []
    for hours in (0, -1, -24, 1, -8760):
        made.append(ids.next_id(made, NOON + timedelta(hours=hours)))
    assert made == sorted(set(made))


def test_names_that_are_no_ids_are_passed_over():
    names = ["", ".DS_Store", "notes.json", "20269999T000000Z-aaaaaa", "1"]
    assert ids.next_id(names, NOON).startswith("20260131T120000Z-")


LATER = "20260201T000000Z-ffffff"


@pytest.mark.parametrize(
    "trace",
    [
        f"manifests/{LATER}.json",
        f"features/run_id={LATER}/part.parquet",
        f"rejected/run_id={LATER}/part.parquet",
        f"_staging/{LATER}/started",
    ],
)
def test_a_run_comes_after_every_trace_of_another(layout, tmp_path, monkeypatch, trace):
    monkeypatch.setattr(ids, "_now", lambda: NOON)
    assert ids.new_run_id(layout) < LATER
    put(tmp_path / "out", trace, b"")
    assert ids.new_run_id(layout) > LATER


@pytest.mark.parametrize(
    "trace", [f"pca_model/{LATER}/model.json", f"reduced/model_id={LATER}/part.parquet"]
)
def test_a_pca_model_comes_after_every_trace_of_another(layout, tmp_path, monkeypatch, trace):
    monkeypatch.setattr(ids, "_now", lambda: NOON)
    put(tmp_path / "out", trace, b"")
    assert ids.new_model_id(layout) > LATER
    assert not ids.is_newest_model_id(layout, LATER)
    assert not ids.is_newest_model_id(layout, "20260131T120000Z-000000")
    assert ids.is_newest_model_id(layout, "20260202T000000Z-000000")


@pytest.mark.parametrize("step_s", [0, -3600], ids=["frozen", "going back"])
def test_the_newest_run_decides_about_an_image_whatever_the_clock_says(
    spark, tmp_path, seeded_model, monkeypatch, step_s
):
    options = options_for(tmp_path, save(seeded_model, tmp_path / "model"))
    layout = OutputLayout(options.output)
    clock = iter(NOON + timedelta(seconds=step * step_s) for step in range(9))
    monkeypatch.setattr(ids, "_now", lambda: next(clock))
    runs = []
    # Endings that sort the other way: what is random does not decide.
    for n, content in enumerate((b"nonsense", None, b"nonsense", None)):
        monkeypatch.setattr(ids.secrets, "token_hex", lambda _, n=n: f"{9 - n}" * 6)
        touch(put(tmp_path / "images", "a/1.png", content), later_s=60 * n)
        runs.append(run(spark, options).run_id)
        is_usable = content is None
        assert current_paths(spark, options) == (["a/1.png"] if is_usable else [])
        assert current_rejected(spark, layout).count() == (not is_usable)
    assert runs == sorted(set(runs)) == [made.run_id for made in visible_runs(layout)]
    assert [row.run_id for row in current_features(spark, layout).collect()] == runs[-1:]
