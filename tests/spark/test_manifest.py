"""Run manifests and run ids."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from spark_assets.errors import FruitsError
from spark_assets.output.manifest import (
    Counts,
    RunManifest,
    latest_run,
    manifest_path,
    new_run_id,
    next_id,
    read_run,
    run_ids,
)
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.made_report import made_report
from tests.spark.runs import put

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [{"n_features": 795}, {"n_rejected": 5}, {"rejected_by_reason": {"empty": 3}}],
    ids=["lost features", "counted twice", "no reason"],
)
def test_counts_that_do_not_add_up_are_refused(changes):
    counts = asdict(made_report().latest_run.counts)
    with pytest.raises(FruitsError, match="counts do not add up, so nothing of this run is kept"):
        Counts(**{**counts, **changes})


def test_a_manifest_survives_json_and_fields_of_later_and_earlier_versions():
    manifest = made_report().latest_run
    value = json.loads(json.dumps(manifest.to_json()))
    assert RunManifest.from_json(value) == manifest
    value["feature_model"]["new"] = value["new"] = 1
    value["counts"]["n_gone"] = value["counts"].pop("n_deleted")
    assert RunManifest.from_json(value) == manifest


def test_runs_are_listed_oldest_first(tmp_path):
    output = Output.open(parse_location(str(tmp_path)))
    assert (run_ids(output), latest_run(output)) == ([], None)
    runs = [replace(made_report().latest_run, run_id=f"{n}") for n in range(3)]
    for run in reversed(runs):
        put(tmp_path, manifest_path(run.run_id), json.dumps(run.to_json()).encode())
    put(tmp_path, "runs/notes.txt", b"of somebody")
    assert run_ids(output) == ["0", "1", "2"]
    assert latest_run(output) == runs[-1]
    assert [read_run(output, run_id) for run_id in "013"] == [*runs[:2], None]


@pytest.mark.parametrize(
    "held",
    [
        [],
        ["20260131T115959Z-ffffff"],
        ["", ".DS_Store", "notes.json", "20269999T000000Z-aaaaaa", "1"],
    ],
    ids=["first", "older", "no ids"],
)
def test_an_id_begins_with_the_second_of_the_clock(held):
    assert next_id(held, NOON).startswith("20260131T120000Z-")


@pytest.mark.parametrize("held", ["20260131T120000Z-ffffff", "20270131T120000Z-000000"])
def test_an_id_of_the_same_second_or_of_the_future_is_followed_by_a_later_one(held):
    made = next_id(["20250101T000000Z-aaaaaa", held], NOON)
    assert made > held
    assert made[9:16] == "120001Z"


@pytest.mark.parametrize("hours", [[0] * 20, [0, -1, -24, 1, -8760]], ids=["frozen", "set back"])
def test_ids_increase_whatever_the_clock_does(hours):
    made: list[str] = []
    for each in hours:
        made.append(next_id(reversed(made), NOON + timedelta(hours=each)))
    assert made == sorted(set(made))


def test_a_new_run_comes_after_every_run_of_the_output(tmp_path):
    output = Output.open(parse_location(str(tmp_path)))
    made = ["29990201T000000Z-ffffff"]
    for _ in range(3):
        put(tmp_path, f"runs/{made[-1]}.json", b"{}")
        made.append(new_run_id(output))
    assert made == sorted(set(made))
