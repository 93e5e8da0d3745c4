"""The state of an output is what the newest run that found something of an image says."""

import random
from types import SimpleNamespace

import pyarrow as pa
import pytest

from spark_assets.output.layout import OutputLayout
from spark_assets.output.small_tables import write_table
from spark_assets.output.state import current_state, outdated_paths
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import CHANGES, Outcome


def noted(layout, number, outcomes):
    """Write what a run has noted of images, and return the run."""
    run = SimpleNamespace(run_id=f"2026010{number}T000000Z-00000{number}")
    rows = [{"path": path, "outcome": str(outcome)} for path, outcome in sorted(outcomes.items())]
    write_table(pa.Table.from_pylist(rows, CHANGES), layout.changes(run.run_id))
    return run


@pytest.mark.parametrize("seed", range(3))
def test_the_newest_run_decides_about_each_image(tmp_path, seed):
    layout, draw = OutputLayout(parse_location(str(tmp_path))), random.Random(seed)
    expected, written, runs = {}, {}, []
    for number in range(1, 5):
        paths = draw.sample([f"a/{index}.jpg" for index in range(30)], draw.randrange(1, 20))
        outcomes = {path: draw.choice(list(Outcome)) for path in paths}
        runs.append(noted(layout, number, outcomes))
        run_id = runs[-1].run_id
        expected |= {path: (outcome, run_id) for path, outcome in outcomes.items()}
        written[run_id] = {path for path, found in outcomes.items() if found == Outcome.FEATURES}
    expected = {path: found for path, found in expected.items() if found[0] != Outcome.GONE}
    state = current_state(layout, runs).to_pylist()
    assert {row["path"]: (row["outcome"], row["run_id"]) for row in state} == expected
    assert [row["path"] for row in state] == sorted(expected)
    current = {(path, run_id) for path, (_, run_id) in expected.items()}
    outdated = {
        run_id: {path for path in paths if (path, run_id) not in current}
        for run_id, paths in written.items()
    }
    found = {run_id: {*paths.to_pylist()} for run_id, paths in outdated_paths(layout, runs).items()}
    assert found == {run_id: paths for run_id, paths in outdated.items() if paths}


def test_without_a_run_there_is_no_image(tmp_path):
    layout = OutputLayout(parse_location(str(tmp_path)))
    assert current_state(layout, []).num_rows == 0
    assert outdated_paths(layout, []) == {}
