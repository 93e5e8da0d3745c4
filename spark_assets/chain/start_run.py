"""The start of a run: its output and images are checked before hours of work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.images.labels import LabelRule
from spark_assets.images.listing import check_images_exist
from spark_assets.output.commit import Change, begin
from spark_assets.output.manifest import RunManifest, latest_run, new_run_id
from spark_assets.output.output import Output
from spark_assets.storage.files import write_bytes
from spark_assets.storage.locations import Location


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run at work; ``previous`` is None for the first run and with --overwrite."""

    run_id: str
    started_at: str
    options: FeaturizeOptions
    output: Output
    previous: RunManifest | None
    change: Change
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


@contextmanager
def start_run(options: FeaturizeOptions) -> Iterator[StartedRun]:
    """Begin a run; files that are not committed when the block ends are removed.

    Raises FruitsError where the images cannot be listed or belong to another output.
    """
    output = Output.open(options.output)
    previous = None if options.overwrite else latest_run(output)
    check_locations(options)
    if previous is not None:
        _check_previous(options, previous)
    run_id = new_run_id(output)
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    with begin(output.location, run_id) as change:
        # An output without write access is refused here, and not after hours of work.
        write_bytes(change.staging.child("started"), b"")
        yield StartedRun(run_id, started_at, options, output, previous, change)


def check_locations(options: FeaturizeOptions) -> None:
    """Raise FruitsError where the images cannot be listed, or the output lies inside them.

    Commands call it before Spark, which takes seconds to start.
    """
    images, output = options.images, options.output
    if _resolved(images).contains(_resolved(output)):
        raise FruitsError(
            f"the output {output.uri} lies inside the images {images.uri}, where the next run "
            "would take the tables for images; choose an output outside"
        )
    if options.image_list is None:
        check_images_exist(images)


def _resolved(location: Location) -> Location:
    return location if location.s3 else Location(os.path.realpath(location.base))


def _check_previous(options: FeaturizeOptions, previous: RunManifest) -> None:
    images, output = options.images, options.output
    if previous.images_uri != images.uri:
        raise FruitsError(
            f"the output {output.uri} holds features of the images in {previous.images_uri}, "
            f"and {images.uri} was given; choose another output, or start afresh with --overwrite"
        )
    if (rule := LabelRule(**previous.options["label"])) != options.labels:
        option = (
            f"--label-level {rule.level}" if rule.regex is None else f"--label-regex '{rule.regex}'"
        )
        raise FruitsError(
            f"the labels in the output {output.uri} were made with {option}, and an output has "
            "one rule of labels; give the same one, choose another output, or start afresh with "
            "--overwrite"
        )
