"""The current features of an output, file by file: summed up for a PCA, and projected with it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import pyarrow as pa

from spark_assets.errors import FruitsError
from spark_assets.output.layout import OutputLayout
from spark_assets.output.table_files import CurrentFiles, RowChoice, TableFile, read_batches
from spark_assets.pca.batches import project_batches, statistics_of
from spark_assets.pca.model import PCAModel
from spark_assets.pca.sample import Sample, Sampler
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.runtime.parallel import map_shares, merge_shares
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.files import make_folder, write_into
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import REDUCED

_COLUMNS = ("path", "label", "features")


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What is to be known of features to fit a PCA, and to tell later whether it still fits."""

    statistics: PCAStatistics
    sample: Sample

    def merge(self, other: Self) -> Self:
        """Return the summary of the features of both."""
        statistics = self.statistics.merge(other.statistics)
        return type(self)(statistics, self.sample.merge(other.sample))


def summarize(spark: GetSpark, features: CurrentFiles, counted: Collection[str]) -> Summary:
    """Read features once: all for the sample, those of the runs ``counted`` for the statistics.

    Raises FruitsError where vectors differ in length.
    """
    work = partial(_summary, features.choice, features.n_rows, frozenset(counted))
    return merge_shares(spark, work, Summary.merge, features.files, n_rows=features.n_rows)


def project_files(
    spark: GetSpark,
    features: CurrentFiles,
    model: PCAModel,
    layout: OutputLayout,
    model_id: str,
) -> int:
    """Write a file of reduced rows for each file of features, under its name; count the rows.

    Raises FruitsError where they are not as many as the rows of features.
    """
    for run_id in {file.run_id for file in features.files}:
        make_folder(layout.reduced_by(model_id, run_id))
    work = partial(_project, features.choice, model, layout, model_id)
    n_reduced = sum(map_shares(spark, work, features.files, n_rows=features.n_rows))
    if n_reduced != features.n_rows:
        raise FruitsError(
            f"{features.n_rows} rows of features gave {n_reduced} reduced rows; nothing of them "
            "is kept: run it again"
        )
    return n_reduced


def _summary(
    choice: RowChoice, n_rows: int, counted: frozenset[str], files: Sequence[TableFile]
) -> Summary:
    sampler = Sampler(n_rows)

    def vectors() -> Iterator[pa.ListArray]:
        for file in files:
            for batch in read_batches(file, _COLUMNS, choice):
                sampler.add(batch)
                if file.run_id in counted:
                    yield batch["features"]

    statistics = statistics_of(vectors())
    return Summary(statistics, sampler.sample())


def _project(
    choice: RowChoice,
    model: PCAModel,
    layout: OutputLayout,
    model_id: str,
    files: Sequence[TableFile],
) -> int:
    n_rows = 0
    for file in files:
        batches = project_batches(model, read_batches(file, _COLUMNS, choice))
        reduced = pa.Table.from_batches(batches, REDUCED)
        target = layout.reduced_by(model_id, file.run_id).child(file.name)
        write_into(target, to_parquet(reduced))
        n_rows += reduced.num_rows
    return n_rows
