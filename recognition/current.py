"""The current photographs of an output with their features, in memory: all of them, or a sample."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy import float32
from numpy.typing import NDArray
from pyspark.sql import functions as F

from spark_assets.errors import FruitsError
from spark_assets.output.history import current_features, n_current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_current import small_features
from spark_assets.output.small_tables import MAX_ROWS
from spark_assets.pca.batches import feature_matrix
from spark_assets.schemas import FEATURES
from spark_assets.session_on_demand import GetSession


@dataclass(frozen=True, slots=True, eq=False)
class CurrentPhotographs:
    """Photographs with what is known of them, one element of each attribute for each.

    ``features`` is (n, n_features) float32; ``labels`` are None where a photograph has none.
    ``n_current`` counts those of the output, of which these are all or a sample.
    """

    paths: list[str]
    labels: list[str | None]
    content_sha256: list[str]
    features: NDArray[float32]
    n_current: int

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def is_sample(self) -> bool:
        """Whether the output has more."""
        return len(self) < self.n_current

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> "CurrentPhotographs":
        """Return some of them, in the order of ``rows``."""
        return CurrentPhotographs(
            [self.paths[row] for row in rows],
            [self.labels[row] for row in rows],
            [self.content_sha256[row] for row in rows],
            self.features[rows],
            self.n_current,
        )


def read_current(
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    *,
    max_images: int = MAX_ROWS,
) -> CurrentPhotographs:
    """Read what is current, by path; of more than ``max_images`` those with the smallest hashes.

    The same photographs make the same sample every time.  Spark is started only where the tables
    are large.  Raises FruitsError where there are none, or where features are not finite numbers.
    """
    n_current = n_current_features(runs)
    if not n_current:
        raise FruitsError(
            f"{layout.output.uri} holds no features; make some with: "
            "fruits run --images URI --output URI"
        )
    small = small_features(layout, runs, runs) if n_current <= max_images else None
    if small is None:
        rows = current_features(session(), layout, runs).select(*FEATURES.names)
        if n_current > max_images:
            rows = rows.orderBy(F.sha2("path", 256)).limit(max_images)
        table = rows.toArrow()
    else:
        table = pa.concat_tables([FEATURES.empty_table(), *small.values()])
    return _photographs(table.sort_by("path"), n_current, layout)


def _photographs(table: pa.Table, n_current: int, layout: OutputLayout) -> CurrentPhotographs:
    features = feature_matrix(table.column("features").combine_chunks()).astype(float32, copy=False)
    if len(features) < table.num_rows or not np.isfinite(features).all():
        raise FruitsError(
            f"features in {layout.output.uri} hold NaN or infinity; check the weights, then "
            "featurize again with --overwrite"
        )
    return CurrentPhotographs(
        table.column("path").to_pylist(),
        table.column("label").to_pylist(),
        table.column("content_sha256").to_pylist(),
        features,
        n_current,
    )
