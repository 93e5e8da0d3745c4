"""How many rows tables hold, read from their Parquet footers: a job of Spark's costs more."""

from collections.abc import Sequence

import pyarrow.dataset
import pyarrow.fs

from spark_assets.locations import Location
from spark_assets.output.erasing import hidden_paths
from spark_assets.output.history import only_adds
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest


def count_rows(folder: Location) -> int:
    """Return the rows of all Parquet files below a folder: none where there is no such folder."""
    selector = pyarrow.fs.FileSelector(folder.base, recursive=True, allow_not_found=True)
    # Spark's marks and checksums are files of such a folder too.
    files = [
        info.path
        for info in folder.filesystem.get_file_info(selector)
        if info.base_name.endswith(".parquet")
    ]
    if not files:
        return 0
    table = pyarrow.dataset.dataset(files, filesystem=folder.filesystem, format="parquet")
    n_rows: int = table.count_rows()
    return n_rows


def n_made_by(
    layout: OutputLayout, runs: Sequence[RunManifest], new: Sequence[RunManifest]
) -> int | None:
    """Return how many current features the runs ``new`` have made, None where tables must tell.

    They must where a run has outdated rows of another, or images are being erased.
    """
    if not only_adds(runs) or hidden_paths(layout):
        return None
    return sum(run.counts.n_features for run in new)
