"""The vacuum job: lists and removes files left by interrupted commands."""

import argparse
from collections.abc import Iterator

import pyarrow.fs

from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_output
from spark_assets.jobs.command import Command, Kind
from spark_assets.output.commit import leftover_files, recover
from spark_assets.output.lease import hold_lease
from spark_assets.output.output import check_output
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location, parse_location
from spark_assets.text.languages import ENGLISH
from spark_assets.text.numbers import counted
from spark_assets.text.printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_output(parser)
    parser.add_argument("--dry-run", action="store_true", help="list what would be removed")


def run(parsed: argparse.Namespace) -> ExitCode:
    """List the files that no table or log names, and remove them without ``--dry-run``.

    A dry run holds no lease: it may list what a command at work is about to finish.
    """
    output = parse_location(parsed.output)
    check_output(output)
    if parsed.dry_run:
        _log_files(output, "would be removed")
        return ExitCode.DONE
    with hold_lease(output, purpose="fruits vacuum", wait=parsed.wait):
        _log_files(output, "removed")
        recover(output)
    return ExitCode.DONE


def _log_files(output: Location, done: str) -> None:
    n_files = n_bytes = 0
    for place in leftover_files(output):
        sizes = list(_sizes(place))
        n_files, n_bytes = n_files + len(sizes), n_bytes + sum(sizes)
        echo(f"  {printable(place.uri)}: of a command that did not end, {ENGLISH.size(sum(sizes))}")
    echo(f"{counted(n_files, 'file')} {done}, {ENGLISH.size(n_bytes)}")


def _sizes(place: Location) -> Iterator[int]:
    """Yield the sizes of a file, or of those below a folder."""
    info = place.filesystem.get_file_info(place.base)
    if info.type == pyarrow.fs.FileType.File:
        yield info.size or 0
        return
    selector = pyarrow.fs.FileSelector(place.base, allow_not_found=True, recursive=True)
    files = place.filesystem.get_file_info(selector)
    yield from (file.size or 0 for file in files if file.type == pyarrow.fs.FileType.File)


COMMAND = Command(add_arguments, run, Kind.LOCAL)
