"""What the newest audit has found of the photographs of an output.

``findings/`` is a Parquet table, and in it the record of the audit, which readers of tables leave
out for its name.  A finding leaves it with the photographs that it names.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.commit import Change
from spark_assets.output.finding import AuditRecord, Finding, FindingKind
from spark_assets.output.output import FINDINGS as FOLDER
from spark_assets.output.output import Output
from spark_assets.storage.files import to_json
from spark_assets.storage.parquet import from_parquet, to_parquet
from spark_assets.storage.schemas import FINDINGS

FINDINGS_PATH = f"{FOLDER}/findings.parquet"
_RECORD = "_summary.json"


def findings_files(record: AuditRecord, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Return the files of an audit by name."""
    rows = [asdict(finding) | {"kind": str(finding.kind)} for finding in findings]
    table = to_parquet(pa.Table.from_pylist(rows, FINDINGS))
    return {FINDINGS_PATH.rpartition("/")[2]: table, _RECORD: to_json(asdict(record))}


def audit_record(output: Output) -> AuditRecord | None:
    """Return the record of the newest audit, None where there is none."""
    content = output.folder(FOLDER).read(_RECORD)
    return None if content is None else AuditRecord(**json.loads(content))


def current_findings(output: Output) -> list[Finding]:
    """Return the findings in the order of the table: by kind, and the worst first."""
    content = output.read(FINDINGS_PATH)
    rows = [] if content is None else from_parquet(content).to_pylist()
    return [Finding(**row | {"kind": FindingKind(row["kind"])}) for row in rows]


def remove_findings(output: Output, change: Change, paths: pa.Array) -> None:
    """Take what names photographs out of the findings."""
    content = output.read(FINDINGS_PATH)
    if content is None:
        return
    held = from_parquet(content)
    names_one = pc.or_kleene(
        pc.is_in(held["path"], value_set=paths), pc.is_in(held["related_path"], value_set=paths)
    )
    if pc.any(names_one).as_py():
        change.put(FINDINGS_PATH, to_parquet(held.filter(pc.invert(names_one))))
