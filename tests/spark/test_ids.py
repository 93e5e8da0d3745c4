from datetime import UTC, datetime, timedelta

import pytest

from spark_assets.output import manifest
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.spark.runs import put

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def test_the_first_id_tells_the_second_it_was_made_in():
    assert manifest.next_id([], NOON).startswith("20260131T120000Z-")


def test_the_clock_decides_where_it_is_later_than_every_id():
    assert manifest.next_id(["20260131T115959Z-ffffff"], NOON).startswith("20260131T120000Z-")


@pytest.mark.parametrize("held", ["20260131T120000Z-ffffff", "20270131T120000Z-000000"])
def test_an_id_of_the_same_second_or_of_the_future_is_followed_by_a_later_one(held):
    made = manifest.next_id(["20250101T000000Z-aaaaaa", held], NOON)
    assert made > held
    assert made[9:16] == "120001Z"


def test_a_frozen_clock_gives_increasing_ids():
    made: list[str] = []
    for _ in range(100):
        made.append(manifest.next_id(reversed(made), NOON))
    assert made == sorted(set(made))


def test_a_clock_that_goes_back_gives_increasing_ids():
    made: list[str] = []
    for hours in (0, -1, -24, 1, -8760):
        made.append(manifest.next_id(made, NOON + timedelta(hours=hours)))
    assert made == sorted(set(made))


def test_names_that_are_no_ids_are_passed_over():
    names = ["", ".DS_Store", "notes.json", "20269999T000000Z-aaaaaa", "1"]
    assert manifest.next_id(names, NOON).startswith("20260131T120000Z-")


def test_runs_come_after_each_other_whatever_the_clock_said_before(tmp_path):
    output = Output.open(parse_location(str(tmp_path)))
    made = ["29990201T000000Z-ffffff"]
    for _ in range(3):
        put(tmp_path, f"runs/{made[-1]}.json", b"{}")
        made.append(manifest.new_run_id(output))
    assert made == sorted(set(made))
