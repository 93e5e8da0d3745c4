"""What an audit has found is read as it was written, and leaves with the photographs."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet
import pytest

from recognition.audit.audit_output import THRESHOLDS
from spark_assets.errors import FruitsError
from spark_assets.output.commit import begin, commit
from spark_assets.output.evaluation_record import read_evaluation
from spark_assets.output.findings_table import (
    AuditRecord,
    Finding,
    FindingKind,
    audit_record,
    current_findings,
    findings_files,
    remove_findings,
)
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import FINDINGS

FINDINGS_MADE = [
    Finding("apple/1.jpg", "apple", FindingKind.NEAR_DUPLICATE, 1.0, None, "pear/2.jpg", "a copy"),
    Finding("apple/3.jpg", "apple", FindingKind.WRONG_LABEL, 0.98, "pear", None, "doubted"),
    Finding("4.jpg", None, FindingKind.UNDEREXPOSED, 0.7, None, None, "at 73 of 255"),
]


def record(**changes) -> AuditRecord:
    made = AuditRecord(
        made_at="2025-11-25T12:00:00+00:00",
        n_current=40,
        n_audited=40,
        n_unreadable=0,
        n_by_kind={str(kind): 0 for kind in FindingKind},
        splits={},
        n_leaked=0,
        test_images=None,
        n_labels_judged=40,
        label_agreement=0.99,
        labels_not_judged=None,
        thresholds=THRESHOLDS,
        network_sha256="0" * 64,
        warning=None,
        seconds_by_stage={},
    )
    return replace(made, **changes)


@pytest.fixture
def output(tmp_path) -> Output:
    return Output.open(parse_location(str(tmp_path / "out")))


def write(output, record, findings) -> None:
    with begin(output.location, "an audit") as change:
        change.put_folder("findings", findings_files(record, findings))
        commit(change)


def test_what_is_written_is_read_again(output):
    assert audit_record(output) is None
    write(output, record(), FINDINGS_MADE)
    assert audit_record(output) == record()
    assert current_findings(output) == FINDINGS_MADE


@pytest.mark.parametrize(
    ("path", "read", "command"),
    [
        ("findings/_summary.json", audit_record, "fruits audit --output"),
        ("classifier/evaluation.json", read_evaluation, "fruits evaluate --output"),
    ],
)
def test_a_record_with_the_fields_of_another_version_is_refused(output, path, read, command):
    folder, name = path.split("/")
    with begin(output.location, "an earlier version") as change:
        change.put_folder(folder, {name: b'{"made_at": "2025-11-25T12:00:00+00:00"}'})
        commit(change)
    with pytest.raises(
        FruitsError, match=rf"{path} does not describe .* of this version.*{command}"
    ):
        read(output)


@pytest.mark.parametrize("findings", [FINDINGS_MADE, []])
def test_the_table_is_one_that_any_reader_of_parquet_opens(output, findings):
    write(output, record(), findings)
    table = pyarrow.parquet.read_table(output.child("findings").base)
    assert table.schema.equals(FINDINGS)
    assert table.column("kind").to_pylist() == [each.kind for each in findings]


def test_a_second_audit_replaces_the_first(output):
    write(output, record(), FINDINGS_MADE)
    write(output, record(n_current=50), FINDINGS_MADE[2:])
    assert audit_record(output) == record(n_current=50)
    assert current_findings(output) == FINDINGS_MADE[2:]


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (["apple/3.jpg"], [0, 2]),
        (["pear/2.jpg", "new.jpg"], [1, 2]),
        (["apple/1.jpg", "apple/3.jpg", "4.jpg"], []),
        (["apple"], [0, 1, 2]),
    ],
)
def test_a_finding_leaves_with_each_photograph_that_it_names(output, gone, left):
    write(output, record(), FINDINGS_MADE)
    with begin(output.location, "a run") as change:
        remove_findings(output, change, pa.array(gone))
        commit(change)
    assert current_findings(output) == [FINDINGS_MADE[n] for n in left]
    assert audit_record(output) == record()
