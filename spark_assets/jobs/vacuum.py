"""The vacuum job: what commands that died have left in an output is listed and removed."""

import argparse

from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_output
from spark_assets.output.layout import OutputLayout, check_output
from spark_assets.output.lease import hold_lease
from spark_assets.output.orphans import Orphan, find_orphans, remove_orphans, size_of
from spark_assets.report.wording import counted, printable, size
from spark_assets.runtime.progress import say
from spark_assets.storage.locations import parse_output_location


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_output(parser)
    parser.add_argument("--dry-run", action="store_true", help="list what would be removed")


def run(parsed: argparse.Namespace) -> ExitCode:
    """List what nothing leads to, and remove it unless asked not to.

    A dry run holds no lease: it may list what a command at work is about to finish.
    """
    layout = OutputLayout(parse_output_location(parsed.output))
    check_output(layout.output)
    if parsed.dry_run:
        _say(find_orphans(layout), "would be removed")
        return ExitCode.DONE
    with hold_lease(layout, purpose="fruits vacuum", wait=parsed.wait):
        orphans = find_orphans(layout)
        _say(orphans, "removed")
        remove_orphans(layout, orphans)
    return ExitCode.DONE


def _say(orphans: list[Orphan], done: str) -> None:
    n_files = n_bytes = 0
    for orphan in orphans:
        files, size_bytes = size_of(orphan)
        n_files, n_bytes = n_files + files, n_bytes + size_bytes
        say(f"  {printable(orphan.location.uri)}: {orphan.what}, {size(size_bytes)}")
    say(f"{counted(n_files, 'file')} of {counted(len(orphans), 'orphan')} {done}, {size(n_bytes)}")
