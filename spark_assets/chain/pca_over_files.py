"""PCA over the files of an output: statistics and a sample of the features, and projection."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change
from spark_assets.output.output import REDUCED
from spark_assets.output.parquet_tables import TableFile, read_batches
from spark_assets.pca.batches import project_batches, statistics_of
from spark_assets.pca.drift_sample import Sample, Sampler
from spark_assets.pca.model import PCAModel
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.runtime.distribute import map_shares, merge_shares
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.storage import schemas
from spark_assets.storage.files import make_folder, write_into
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet

_COLUMNS = ("path", "label", "features")


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Statistics to fit a PCA, and a sample to measure how well it fits later images."""

    statistics: PCAStatistics
    sample: Sample

    def merge(self, other: Self) -> Self:
        return type(self)(self.statistics.merge(other.statistics), self.sample.merge(other.sample))


def summarize(
    spark: GetSpark, files: Sequence[TableFile], n_rows: int, counted: Collection[str]
) -> Summary:
    """Read features once: all for the sample, those of the runs ``counted`` for statistics.

    Raises FruitsError where vectors differ in length.
    """
    work = partial(_summary, n_rows, pa.array(sorted(counted), pa.string()))
    return merge_shares(spark, work, Summary.merge, files, n_rows=n_rows)


def project_files(
    spark: GetSpark, files: Sequence[TableFile], n_rows: int, model: PCAModel, change: Change
) -> None:
    """Stage a file of reduced rows for each file of features, of the same name.

    Raises FruitsError where the numbers of rows differ.
    """
    folder = change.staging.child(REDUCED)
    make_folder(folder)
    work = partial(_project, model, folder)
    n_reduced = sum(map_shares(spark, work, files, n_rows=n_rows))
    if n_reduced != n_rows:
        raise FruitsError(
            f"{n_rows} rows of features gave {n_reduced} reduced rows; nothing is changed: run the "
            "command again"
        )
    change.add(f"{REDUCED}/{file.name}" for file in files)


def _summary(n_rows: int, counted: pa.Array, files: Sequence[TableFile]) -> Summary:
    sampler = Sampler(n_rows)

    def vectors() -> Iterator[pa.ListArray]:
        for file in files:
            for batch in read_batches(file, (*_COLUMNS, "run_id")):
                sampler.add(batch)
                is_counted = pc.is_in(batch["run_id"], value_set=counted)
                if is_counted.true_count == batch.num_rows:
                    yield batch["features"]
                elif is_counted.true_count:
                    yield batch["features"].filter(is_counted)

    statistics = statistics_of(vectors())
    return Summary(statistics, sampler.sample())


def _project(model: PCAModel, folder: Location, files: Sequence[TableFile]) -> int:
    n_rows = 0
    for file in files:
        batches = project_batches(model, read_batches(file, _COLUMNS))
        reduced = pa.Table.from_batches(batches, schemas.REDUCED)
        write_into(folder.child(file.name), to_parquet(reduced))
        n_rows += reduced.num_rows
    return n_rows
