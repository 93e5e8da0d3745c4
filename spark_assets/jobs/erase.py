"""Erase photographs (GDPR art. 17): at their source, and their traces in an output.

spark-submit runs this file; ``fruits erase`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from spark_assets.erasure.erasure_request import ErasureRequest, parse_request
from spark_assets.erasure.run_erasure import EraseOptions, allow_again, erase
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.arguments import add_common, add_report
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark, spark_on, working_on
from spark_assets.storage.locations import parse_location

PURPOSE = "fruits erase"


def add_arguments(parser: argparse.ArgumentParser, *, output_required: bool = True) -> None:
    """Add the options of this job."""
    add_common(parser, output_required=output_required)
    add_report(parser)
    parser.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="URI",
        help="further folder or s3:// prefix with copies of the photographs; repeatable",
    )
    what = parser.add_argument_group("images to erase (repeatable)")
    what.add_argument(
        "--path", action="append", default=[], metavar="P", help="path relative to the images"
    )
    what.add_argument("--path-list", metavar="FILE", help="file or URI, one path per line")
    what.add_argument(
        "--prefix", action="append", default=[], metavar="P", help="all paths with this prefix"
    )
    what.add_argument(
        "--sha256",
        action="append",
        default=[],
        metavar="H",
        help="SHA-256 of the file of a photograph",
    )
    parser.add_argument(
        "--copies",
        action="store_true",
        help="erase byte-identical images under other paths too",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="list what would be erased")
    way.add_argument("--finish", action="store_true", help="finish interrupted erasures")
    way.add_argument(
        "--rewrite-only",
        action="store_true",
        help="rewrite only the tables and models of unfinished erasures (a step of the cluster)",
    )
    way.add_argument(
        "--allow-again", action="store_true", help="remove --sha256 from the list of erased images"
    )


def run(parsed: argparse.Namespace, *, outside_reach: Sequence[str] = ()) -> ExitCode:
    """Run the job with a parsed command line."""
    options = options_of(parsed, outside_reach)
    if parsed.rewrite_only:
        with spark_on(options.output, PURPOSE, parsed):
            return ExitCode.DONE
    with working_on(options.output, PURPOSE, parsed):
        if parsed.allow_again:
            return allow_again(options.output, parsed.sha256)
        with spark(PURPOSE, parsed) as on_demand:
            return erase(options, on_demand)


def options_of(parsed: argparse.Namespace, outside_reach: Sequence[str]) -> EraseOptions:
    """Return the options of a command line.  Raises FruitsError where no image is named."""
    request = parse_request(parsed.path, parsed.path_list, parsed.prefix, parsed.sha256)
    is_named = request != ErasureRequest()
    if parsed.allow_again and (not parsed.sha256 or request.paths or request.prefixes):
        raise FruitsError("--allow-again takes digests and nothing else; give --sha256")
    if not is_named and not (parsed.finish or parsed.rewrite_only):
        raise FruitsError(
            "no image to erase is named; give --path, --path-list, --prefix or --sha256"
        )
    if parsed.finish and is_named:
        raise FruitsError("--finish continues the unfinished erasures; leave the image names out")
    return EraseOptions(
        output=parse_location(parsed.output),
        sources=[parse_location(uri) for uri in parsed.images],
        request=request if is_named else None,
        with_copies=parsed.copies,
        is_dry_run=parsed.dry_run,
        outside_reach=outside_reach,
        max_points=parsed.max_points,
    )


COMMAND = Command(add_arguments, run, Kind.SPARK)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
