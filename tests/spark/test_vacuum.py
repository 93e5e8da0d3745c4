"""What `fruits vacuum` lists and removes: what commands that died have left, and nothing else."""

import json

import pytest

from tests.spark.commands import Place
from tests.spark.runs import files_under, put

KEPT = {
    "features/a.parquet": b"rows",
    "report/index.html": b"page",
    ".hidden": b"somebody else's",
    "notes.partial": b"somebody else's",
}
LEFT = {
    "_staging/1/features/a.parquet": b"12345",
    "_staging/2/started": b"",
    "._commit.json.1a2b3c4d.partial": b"123",
    "_erasing/.1.json.1a2b3c4d.partial": b"1234",
}


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    for path, content in (KEPT | LEFT).items():
        put(place.out, path, content)
    return place


def test_a_dry_run_lists_it_and_removes_nothing(place, capsys):
    before = files_under(place.out)
    assert place.give("vacuum", "--dry-run") == 0
    told = capsys.readouterr().err
    for path in ("_staging/1", "_staging/2", "._commit.json", "_erasing/.1.json"):
        assert f"  {place.out}/{path}" in told
    assert "4 files would be removed, 12\xa0bytes" in told
    assert files_under(place.out) == before


def test_it_is_removed_and_the_rest_stays(place, capsys):
    assert place.give("vacuum") == 0
    assert "4 files removed, 12\xa0bytes" in capsys.readouterr().err
    assert files_under(place.out) == KEPT
    assert place.give("vacuum") == 0
    assert "0 files removed" in capsys.readouterr().err


def test_a_change_that_was_decided_is_made_and_not_removed(place, capsys):
    log = {"change_id": "1", "add": ["features/a.parquet"], "remove": ["report/index.html"]}
    put(place.out, "_commit.json", json.dumps(log).encode())
    assert place.give("vacuum", "--dry-run") == 0
    assert "_staging/1" not in capsys.readouterr().err
    assert place.give("vacuum") == 0
    assert "_staging/1" not in capsys.readouterr().err
    made = KEPT | {"features/a.parquet": LEFT["_staging/1/features/a.parquet"]}
    del made["report/index.html"]
    assert files_under(place.out) == made
