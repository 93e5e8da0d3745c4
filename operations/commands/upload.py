"""The upload command: photographs from a local folder to the bucket that the chain reads."""

import argparse

from cdk_app.config import Environment
from operations.aws.stacks import data_stack
from operations.aws.uploading import upload_images
from operations.commands.cloud_arguments import add_environment
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.images.listing import check_images_exist
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location, parse_location
from spark_assets.text.printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--images", required=True, metavar="FOLDER", help="local folder of the photographs"
    )
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Upload the photographs of a folder."""
    return upload(parsed.images, parsed.environment)


def upload(images: str, environment: Environment) -> ExitCode:
    """Upload the photographs of a folder; return FAILED where one was refused."""
    folder = local_folder(images)
    stack = data_stack(environment)
    counts = upload_images(folder, stack.images, stack.output)
    echo(
        f"{counts.n_images} images = {counts.n_uploaded} uploaded + {counts.n_unchanged} unchanged "
        f"+ {counts.n_refused} refused, in {printable(stack.images.uri)}"
    )
    return ExitCode.FAILED if counts.n_refused else ExitCode.DONE


def local_folder(images: str) -> Location:
    """Return the place of a folder of photographs.  Raises FruitsError where it is not that."""
    folder = parse_location(images)
    if folder.s3 is not None:
        raise FruitsError(f"{images} is not a local folder; give one on this machine")
    check_images_exist(folder)
    return folder


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; the same command uploads the rest")
