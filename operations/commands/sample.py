"""The command ``fruits sample``: synthetic photographs, the same for the same seed."""

import argparse
from pathlib import Path

from sample_photographs.sample_folder import SamplesError, draw_samples
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import parse_location


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--output", required=True, metavar="FOLDER", help="an empty local folder")
    parser.add_argument("--images-per-label", type=int, default=24, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def run(parsed: argparse.Namespace) -> ExitCode:
    """Draw the samples."""
    folder = parse_location(parsed.output)
    if folder.s3 is not None:
        raise FruitsError(f"{parsed.output} is not a local folder; draw there and copy it to S3")
    try:
        drawn = draw_samples(
            Path(folder.base), images_per_label=parsed.images_per_label, seed=parsed.seed
        )
    except SamplesError as error:
        raise FruitsError(str(error)) from error
    echo(
        f"{drawn.n_images} sample photographs of {len(drawn.labels)} fruits in {folder.uri}, "
        f"{drawn.n_broken} of them corrupt on purpose"
    )
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)
