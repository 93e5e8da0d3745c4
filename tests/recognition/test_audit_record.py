"""What an audit has found is seen whole or not at all, and only as long as it holds."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.dataset
import pytest

from spark_assets.output.artefacts import registered_artefacts
from spark_assets.output.erasing import PendingErasure, note_erasure
from spark_assets.output.finding import AuditRecord, Finding, FindingKind
from spark_assets.output.findings import (
    audit_record,
    current_findings,
    dead_findings,
    write_findings,
)
from spark_assets.output.layout import OutputLayout
from spark_assets.output.small_tables import write_table
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import CHANGES, FINDINGS
from tests.made_report import made_report

FIRST, SECOND = "20251123T120155Z-9ab300", "20251124T120155Z-9ab300"
FINDINGS_MADE = [
    Finding("apple/1.jpg", "apple", FindingKind.NEAR_DUPLICATE, 1.0, None, "pear/2.jpg", "a copy"),
    Finding("apple/3.jpg", "apple", FindingKind.WRONG_LABEL, 0.98, "pear", None, "doubted"),
    Finding("4.jpg", None, FindingKind.DARK, 0.7, None, None, "at 73 of 255"),
]


def run(run_id):
    return replace(made_report().latest_run, run_id=run_id)


def record(*run_ids: str, **changes) -> AuditRecord:
    made = AuditRecord(
        made_at="2025-11-25T12:00:00+00:00",
        made_from=list(run_ids),
        n_current=40,
        n_looked_at=40,
        n_unreadable=0,
        n_by_kind={str(kind): 0 for kind in FindingKind},
        splits={},
        n_leaked=0,
        against=None,
        n_labels_judged=40,
        label_agreement=0.99,
        labels_not_judged=None,
        thresholds={"min_blown": 0.2},
        network_sha256="0" * 64,
        warning=None,
        seconds_by_stage={},
    )
    return replace(made, **changes)


@pytest.fixture
def layout(tmp_path) -> OutputLayout:
    return OutputLayout(parse_location(str(tmp_path / "out")))


def note_changes(layout, run_id, *paths):
    rows = [{"path": path, "outcome": "features"} for path in paths]
    write_table(pa.Table.from_pylist(rows, CHANGES), layout.changes(run_id))


def test_what_is_written_is_read_again(layout):
    written = record(FIRST)
    write_findings(layout, written, FINDINGS_MADE)
    assert audit_record(layout, [run(FIRST)]) == written
    assert current_findings(layout, [run(FIRST)], written) == FINDINGS_MADE
    assert dead_findings(layout, [run(FIRST)]) == []


def test_the_table_is_one_that_any_reader_of_parquet_opens(layout):
    write_findings(layout, record(FIRST), FINDINGS_MADE)
    table = pyarrow.dataset.dataset(layout.findings.base).to_table()
    assert table.schema.equals(FINDINGS)
    assert table.column("kind").to_pylist() == ["near_duplicate", "wrong_label", "dark"]


def test_an_audit_that_finds_nothing_has_a_table_without_rows(layout):
    write_findings(layout, record(FIRST), [])
    assert current_findings(layout, [run(FIRST)], record(FIRST)) == []


def test_a_second_audit_replaces_the_first(layout):
    write_findings(layout, record(FIRST), FINDINGS_MADE)
    write_findings(layout, record(FIRST, SECOND), FINDINGS_MADE[2:])
    runs = [run(FIRST), run(SECOND)]
    found = audit_record(layout, runs)
    assert found == record(FIRST, SECOND)
    assert current_findings(layout, runs, found) == FINDINGS_MADE[2:]


def test_findings_of_images_that_a_later_run_has_noted_are_not_told(layout):
    written = record(FIRST)
    write_findings(layout, written, FINDINGS_MADE)
    for changed, left in ((["apple/3.jpg"], [0, 2]), (["pear/2.jpg", "new.jpg"], [1, 2])):
        note_changes(layout, SECOND, *changed)
        runs = [run(FIRST), run(SECOND)]
        assert audit_record(layout, runs) == written
        expected = [FINDINGS_MADE[n] for n in left]
        assert current_findings(layout, runs, written) == expected


def test_findings_of_images_that_are_being_erased_are_not_told(layout):
    write_findings(layout, record(FIRST), FINDINGS_MADE)
    note_erasure(layout, PendingErasure("1", "now", [], ["pear/2.jpg"], [], {}, [], [], {}))
    assert current_findings(layout, [run(FIRST)], record(FIRST)) == FINDINGS_MADE[1:]


def test_an_audit_of_runs_that_were_replaced_is_not_seen_and_is_found_to_remove(layout):
    write_findings(layout, record(FIRST), FINDINGS_MADE)
    assert audit_record(layout, [run(SECOND)]) is None
    dead = dead_findings(layout, [run(SECOND)])
    assert dead == [layout.findings, layout.artefacts.child("findings.json")]


def test_it_is_registered_before_its_first_file_and_without_an_end_not_seen(layout, monkeypatch):
    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("spark_assets.output.findings.write_table", dies)
    with pytest.raises(KeyboardInterrupt):
        write_findings(layout, record(FIRST), FINDINGS_MADE)
    assert [artefact.made_from for artefact in registered_artefacts(layout)] == [[FIRST]]
    assert audit_record(layout, [run(FIRST)]) is None
    assert dead_findings(layout, [run(FIRST)]) == [layout.artefacts.child("findings.json")]


def test_an_output_without_an_audit_has_nothing_to_remove(layout):
    assert audit_record(layout, [run(FIRST)]) is None
    assert dead_findings(layout, [run(FIRST)]) == []
