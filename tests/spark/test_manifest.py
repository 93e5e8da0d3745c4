import json
from dataclasses import asdict, replace

import pytest

from spark_assets.errors import FruitsError
from spark_assets.output.manifest import (
    Counts,
    RunManifest,
    latest_run,
    manifest_path,
    read_run,
    run_ids,
)
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.made_report import made_report
from tests.spark.runs import put


@pytest.mark.parametrize(
    "changes",
    [{"n_features": 795}, {"n_rejected": 5}, {"rejected_by_reason": {"empty": 3}}],
    ids=["lost features", "counted twice", "no reason"],
)
def test_counts_that_do_not_add_up_are_refused(changes):
    counts = asdict(made_report().latest_run.counts)
    with pytest.raises(FruitsError, match="they do not add up, so nothing of this run is kept"):
        Counts(**{**counts, **changes})


def test_a_manifest_is_its_json():
    manifest = made_report().latest_run
    assert RunManifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_what_a_later_version_adds_to_a_manifest_is_passed_over():
    manifest = made_report().latest_run
    value = manifest.to_json()
    value["feature_model"]["new"] = value["new"] = 1
    assert RunManifest.from_json(value) == manifest


def test_the_runs_of_an_output_are_told_oldest_first(tmp_path):
    output = Output.open(parse_location(str(tmp_path)))
    assert (run_ids(output), latest_run(output)) == ([], None)
    runs = [replace(made_report().latest_run, run_id=f"{n}") for n in range(3)]
    for run in reversed(runs):
        put(tmp_path, manifest_path(run.run_id), json.dumps(run.to_json()).encode())
    put(tmp_path, "runs/notes.txt", b"of somebody")
    assert run_ids(output) == ["0", "1", "2"]
    assert latest_run(output) == runs[-1]
    assert [read_run(output, run_id) for run_id in "013"] == [*runs[:2], None]
