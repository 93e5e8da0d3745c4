"""What an erasure is asked for, found in what an output has ever noted of its images.

The narrow tables of changes answer it, without Spark: an erasure begins on the machine of whoever
was asked for it, however large the output.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import open_table
from spark_assets.storage.schemas import CHANGES

_COLUMNS = ["path", "content_sha256", "outcome"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which images to erase: by path, by the beginning of their paths, or by digest."""

    paths: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    content_sha256: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldImage:
    """One row that a run has noted of an image."""

    path: str
    content_sha256: str | None
    outcome: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What an output holds of the images that are asked for.

    ``copies`` are other paths with the content of one that is selected, now or once.
    """

    rows: tuple[HeldImage, ...]
    copies: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        return sorted({row.path for row in self.rows})

    @property
    def content_sha256(self) -> frozenset[str]:
        """Digests of all that the selected images ever were."""
        return _digests(self.rows)

    def run_ids(self, outcome: str) -> list[str]:
        """Return the runs that noted an outcome of a selected image."""
        return sorted({row.run_id for row in self.rows if row.outcome == outcome})


def select(
    layout: OutputLayout, runs: Sequence[RunManifest], asked: Asked, *, with_copies: bool
) -> Selection:
    """Find every row of the images that are asked for; ``with_copies`` selects their copies too."""
    matching = _matching(layout, runs, asked)
    paths = frozenset(row.path for row in matching)
    while True:
        rows = _matching(layout, runs, Asked(paths=paths))
        same_content = _matching(layout, runs, Asked(content_sha256=_digests(rows)))
        copies = frozenset(row.path for row in same_content) - paths
        if not (copies and with_copies):
            return Selection(tuple(rows), tuple(sorted(copies)))
        paths |= copies


def _digests(rows: Iterable[HeldImage]) -> frozenset[str]:
    return frozenset(row.content_sha256 for row in rows if row.content_sha256 is not None)


def _matching(layout: OutputLayout, runs: Sequence[RunManifest], asked: Asked) -> list[HeldImage]:
    conditions = list(_conditions(asked))
    if not conditions:
        return []
    condition = reduce(or_, conditions)
    return [row for run in runs for row in _rows(layout, run.run_id, condition)]


def _rows(layout: OutputLayout, run_id: str, condition: pc.Expression) -> Iterator[HeldImage]:
    table = open_table(layout.changes(run_id), CHANGES)
    for batch in table.to_batches(columns=_COLUMNS, filter=condition):
        for row in batch.to_pylist():
            yield HeldImage(row["path"], row["content_sha256"], row["outcome"], run_id)


def _conditions(asked: Asked) -> Iterator[pc.Expression]:
    if asked.paths:
        yield pc.field("path").isin(pa.array(sorted(asked.paths), pa.string()))
    for prefix in asked.prefixes:
        yield pc.starts_with(pc.field("path"), prefix)
    if asked.content_sha256:
        digests = pa.array(sorted(asked.content_sha256), pa.string())
        yield pc.field("content_sha256").isin(digests)
