"""The command ``fruits audit``: duplicates, label issues and defective photographs."""

import argparse

from recognition.audit.audit_output import AuditOptions, audit_output
from spark_assets.chain.make_report import report
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_report, report_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on
from spark_assets.output.findings_table import AuditRecord, FindingKind
from spark_assets.output.output import FINDINGS
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location, parse_location
from spark_assets.text.numbers import audited_of, counted
from spark_assets.text.printable import printable

_NAMES = {
    FindingKind.DUPLICATE: "duplicates (same bytes)",
    FindingKind.NEAR_DUPLICATE: "near duplicates (re-encoded)",
    FindingKind.SIMILAR_VIEW: "similar views in another split",
    FindingKind.WRONG_LABEL: "label issues",
    FindingKind.UNDEREXPOSED: "underexposed",
    FindingKind.OVEREXPOSED: "overexposed",
    FindingKind.BLURRED: "blurred",
    FindingKind.LOW_RESOLUTION: "of low resolution",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_common(parser)
    add_report(parser)
    parser.add_argument(
        "--images",
        metavar="URI",
        help="folder or s3:// prefix of the photographs (default: that of the newest run)",
    )
    splits = parser.add_mutually_exclusive_group()
    splits.add_argument(
        "--split-regex",
        metavar="EXPRESSION",
        help="regular expression (RE2) on the path; its first group is the split (default: the "
        "first folder, if its name is one such as Training or Test)",
    )
    splits.add_argument(
        "--test-images",
        metavar="URI",
        help="test set, with the label folders of the output, to compare with the output",
    )
    parser.add_argument(
        "--group-by",
        metavar="EXPRESSION",
        help="regular expression (RE2) on the path; its first group is the object (group of the "
        "cross-validation)",
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Audit an output and render its report."""
    options = AuditOptions(
        output=parse_location(parsed.output),
        images=None if parsed.images is None else parse_location(parsed.images),
        split_regex=parsed.split_regex,
        group_by=parsed.group_by,
        test_images=None if parsed.test_images is None else parse_location(parsed.test_images),
    )
    with spark_on(options.output, "fruits audit", parsed) as spark:
        record, _ = audit_output(options)
        _log_findings(record, options.output.child(FINDINGS))
        report(spark, report_options(parsed))
    return ExitCode.DONE


def _log_findings(record: AuditRecord, findings: Location) -> None:
    """Print what was audited and the number of findings, a line for each kind."""
    if record.warning:
        echo(f"WARNING: {record.warning}")
    echo(f"audited {audited_of(record.n_audited, record.n_current, 'photograph')}")
    if record.n_unreadable:
        echo(
            f"WARNING: {counted(record.n_unreadable, 'photograph')} could not be read and have "
            "no pixel statistics; give their place with --images"
        )
    for kind, name in _NAMES.items():
        if n_found := record.n_by_kind[kind]:
            echo(f"{n_found:,} {name}")
    if not sum(record.n_by_kind.values()):
        echo("no findings")
    if record.splits:
        splits = ", ".join(f"{n:,} in {printable(name)}" for name, n in record.splits.items())
        training = printable(next(iter(record.splits)))
        echo(f"{splits}; {record.n_leaked:,} of the others are duplicated in {training}")
    if record.labels_not_judged:
        echo(f"labels were not judged: {record.labels_not_judged}")
    echo(f"findings: {findings.uri}")


COMMAND = Command(add_arguments, run, Kind.SPARK)
