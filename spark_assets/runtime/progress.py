"""Progress of a run: a bar on a terminal, a plain line every 30 s elsewhere.

Spark is imported for its types alone: commands that do without it print through `echo` too.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError
from tqdm import tqdm

from spark_assets.runtime.suppress_output import write_past_suppression
from spark_assets.text.numbers import minutes

if TYPE_CHECKING:
    from pyspark import SparkContext, StatusTracker

LINE_EVERY_S = 30.0
_POLL_S = 0.5


def echo(message: str) -> None:
    """Print one line for the person who waits, past a progress bar."""
    if not write_past_suppression(message):
        tqdm.write(message, file=sys.stderr)


@dataclass(slots=True)
class ProgressRecord:
    """Number of images done over time: (seconds since the start, images) at each change."""

    n_images: int
    samples: list[tuple[float, int]] = field(default_factory=list)

    def images_per_second_steady(self) -> float | None:
        """Return the speed without the first and last tenth of the images; None for a short run."""
        low, high = 0.1 * self.n_images, 0.9 * self.n_images
        # Tasks end together, in steps; the middle of a step estimates the images done.
        halfway = [
            (seconds, (before + done) / 2)
            for (_, before), (seconds, done) in pairwise([(0.0, 0), *self.samples])
        ]
        inner = [(seconds, done) for seconds, done in halfway if low <= done <= high]
        if len(inner) < 3:
            return None
        (start, first), (end, last) = inner[0], inner[-1]
        return (last - first) / (end - start)


@contextmanager
def track(n_done: Callable[[], int | None], *, n_images: int) -> Iterator[ProgressRecord]:
    """Show the progress of the block.

    A thread calls ``n_done``, which returns the number of images done, or None to end the display.
    """
    record = ProgressRecord(n_images)
    finished = threading.Event()
    poller = threading.Thread(target=_poll, args=(n_done, record, finished), daemon=True)
    poller.start()
    try:
        yield record
    finally:
        finished.set()
        poller.join()


@contextmanager
def track_job(context: "SparkContext", *, n_images: int, n_tasks: int) -> Iterator[ProgressRecord]:
    """Show the progress of the Spark job in the block, which has ``n_tasks`` even tasks."""
    group = f"images-{time.monotonic_ns()}"
    context.setJobGroup(group, f"featurize {n_images} images")
    tracker = context.statusTracker()

    def n_done() -> int | None:
        try:
            return _n_done(tracker, group, n_tasks, n_images)
        except Py4JError:  # Spark was stopped; the job raises the reason
            return None

    try:
        with track(n_done, n_images=n_images) as record:
            yield record
    finally:
        context.setLocalProperty("spark.jobGroup.id", "")


def _poll(
    n_done: Callable[[], int | None], record: ProgressRecord, finished: threading.Event
) -> None:
    start = next_line = time.monotonic()
    on_terminal = sys.stderr.isatty()
    with tqdm(total=record.n_images, unit="image", disable=not on_terminal, leave=False) as bar:
        while not finished.wait(_POLL_S):
            if (done := n_done()) is None:
                return
            seconds = time.monotonic() - start
            if done > (record.samples[-1][1] if record.samples else 0):
                record.samples.append((seconds, done))
            bar.update(done - bar.n)
            if not on_terminal and time.monotonic() - next_line >= LINE_EVERY_S:
                next_line = time.monotonic()
                echo(progress_line(done, record.n_images, seconds))


def progress_line(done: int, n_images: int, seconds: float) -> str:
    """Return the plain line: images done, images/s and the remaining time."""
    if not done:
        return f"0 of {n_images} images after {seconds:.0f} s"
    speed = done / seconds
    left = minutes((n_images - done) / speed)
    return f"{done} of {n_images} images, {speed:.1f} images/s, {left} left"


def _n_done(tracker: "StatusTracker", group: str, n_tasks: int, n_images: int) -> int:
    stage_ids: list[int] = []
    for job_id in tracker.getJobIdsForGroup(group):
        job = tracker.getJobInfo(job_id)
        stage_ids.extend(job.stageIds if job else ())
    stage = tracker.getStageInfo(max(stage_ids)) if stage_ids else None
    # Earlier stages list and shuffle paths, and process no image.
    if stage is None or stage.numTasks != n_tasks:
        return 0
    return round(n_images * stage.numCompletedTasks / stage.numTasks)
