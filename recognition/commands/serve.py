"""The command ``fruits serve``: a page that names the fruit on photographs."""

import argparse
import sys

from recognition.classifier.identifier import FruitIdentifier
from recognition.service.limits import MIB, ServiceLimits
from recognition.service.server import is_loopback, serve
from spark_assets.errors import ExitCode
from spark_assets.jobs.argument_types import positive_float
from spark_assets.jobs.command import Command, Kind
from spark_assets.storage.locations import parse_location

_DEFAULTS = ServiceLimits()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--output",
        required=True,
        metavar="URI",
        help="an output with a classifier of fruits evaluate",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on (default %(default)s, which is localhost only)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        help="the port, 0 for any free one (default %(default)s)",
    )
    parser.add_argument(
        "--max-image-mib",
        type=positive_float,
        default=_DEFAULTS.max_bytes / MIB,
        metavar="MIB",
        help="refuse photographs with more bytes (default %(default)g)",
    )
    parser.add_argument(
        "--max-image-megapixels",
        type=positive_float,
        default=_DEFAULTS.max_megapixels,
        metavar="MP",
        help="refuse photographs with more pixels (default %(default)g)",
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Serve the page until it is interrupted."""
    identifier = FruitIdentifier.from_output(parse_location(parsed.output))
    if identifier.record.warning is not None:
        print(f"WARNING: {identifier.record.warning}", file=sys.stderr)
    if not is_loopback(parsed.host):
        print(
            f"WARNING: the page has no login and no TLS: everyone who can connect to {parsed.host} "
            "can use it, and photographs cross the network unencrypted",
            file=sys.stderr,
        )
    limits = ServiceLimits(
        max_bytes=int(parsed.max_image_mib * MIB),
        max_megapixels=parsed.max_image_megapixels,
    )
    serve(identifier, limits, host=parsed.host, port=parsed.port, verbose=parsed.verbose)
    return ExitCode.DONE


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give 0 to 65535")
    return int(text)


COMMAND = Command(add_arguments, run, Kind.LOCAL)
