"""A run that has begun: its id, what it adds to, and the change that it makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.places import check_places
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.images.naming import LabelRule
from spark_assets.output.commit import Change, begin
from spark_assets.output.manifest import RunManifest, latest_run, new_run_id
from spark_assets.output.output import Output
from spark_assets.storage.files import write_bytes


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run at work.  ``previous`` is the run before: None for a first one and with --overwrite."""

    run_id: str
    started_at: str
    options: FeaturizeOptions
    output: Output
    previous: RunManifest | None
    change: Change
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


@contextmanager
def start_run(options: FeaturizeOptions) -> Iterator[StartedRun]:
    """Begin a run; of what it has not committed when the block ends, nothing stays.

    Raises FruitsError where the images cannot be listed or the output does not fit them.
    """
    output = Output.open(options.output)
    previous = None if options.overwrite else latest_run(output)
    check_places(options)
    if previous is not None:
        _check_previous(options, previous)
    run_id = new_run_id(output)
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    with begin(output.location, run_id) as change:
        # Before hours of work: whether the output can be written.
        write_bytes(change.staging.child("started"), b"")
        yield StartedRun(run_id, started_at, options, output, previous, change)


def _check_previous(options: FeaturizeOptions, previous: RunManifest) -> None:
    images, output = options.images, options.output
    if previous.images_uri != images.uri:
        raise FruitsError(
            f"the output {output.uri} holds features of the images in {previous.images_uri}, "
            f"and {images.uri} was given; choose another output, or start afresh with --overwrite"
        )
    if (held := LabelRule(**previous.options["label"])) != options.labels:
        raise FruitsError(
            f"the output {output.uri} takes labels from the paths by {_words(held)}, and the "
            "labels of two rules do not belong together; give the same one, choose another output, "
            "or start afresh with --overwrite"
        )


def _words(labels: LabelRule) -> str:
    """Return the options that give a rule."""
    if labels.regex is not None:
        return f"--label-regex '{labels.regex}'"
    return f"--label-level {labels.level}"
