"""A run that has begun: its id, where it writes, and what becomes of that where it fails."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.places import check_places
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.images.naming import LabelRule
from spark_assets.output.commit import clear_staging, discard_run
from spark_assets.output.history import visible_runs
from spark_assets.output.ids import new_run_id
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.storage.files import write_bytes
from spark_assets.storage.locations import Location


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run at work.  ``earlier`` are the finished runs that it adds to: none with --overwrite."""

    run_id: str
    started_at: str
    options: FeaturizeOptions
    layout: OutputLayout
    earlier: Sequence[RunManifest]
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def staging(self) -> Location:
        """Folder of what is needed only while the run works."""
        return self.layout.staging(self.run_id)


@contextmanager
def start_run(options: FeaturizeOptions) -> Iterator[StartedRun]:
    """Begin a run; where the block fails, nothing of the run stays.

    Raises FruitsError where the images cannot be listed or the output does not fit them.
    """
    layout = OutputLayout(options.output)
    earlier = [] if options.overwrite else visible_runs(layout)
    check_places(options)
    _check_earlier(options, earlier)
    run_id = new_run_id(layout)
    write_bytes(layout.staging(run_id).child("started"), b"")
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        yield StartedRun(run_id, started_at, options, layout, earlier)
    except BaseException:
        discard_run(layout, run_id)
        raise
    clear_staging(layout, run_id)


def _check_earlier(options: FeaturizeOptions, earlier: Sequence[RunManifest]) -> None:
    images, output = options.images, options.output
    if earlier and earlier[-1].images_uri != images.uri:
        raise FruitsError(
            f"the output {output.uri} holds features of the images in {earlier[-1].images_uri}, "
            f"and {images.uri} was given; choose another output, or start afresh with --overwrite"
        )
    if earlier and (held := LabelRule(**earlier[-1].options["label"])) != options.labels:
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
