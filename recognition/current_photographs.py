"""The current photographs of an output with their features, in memory: all of them, or a sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy import float32
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.output.output import FEATURES, Output
from spark_assets.output.parquet_tables import paths_by_file, read_narrow, read_rows, table_files
from spark_assets.pca.batches import feature_matrix
from spark_assets.pca.drift_sample import path_hashes
from spark_assets.runtime.distribute import map_here
from spark_assets.storage import schemas

# Of 1280 numbers: 1 GB.
MAX_IMAGES = 200_000
_COLUMNS = pa.schema(
    [schemas.FEATURES.field(n) for n in ("path", "label", "content_sha256", "features")]
)


@dataclass(frozen=True, slots=True, eq=False)
class CurrentPhotographs:
    """Photographs of an output, one element of each attribute for each.

    Attributes
    ----------
    paths, content_sha256 : list of str
    labels : list of str or None
    features : ndarray of shape (n, n_features), float32
    n_current : int
        Photographs of the output, of which these are all or a sample.
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
        """Whether these are a sample of the output."""
        return len(self) < self.n_current

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> "CurrentPhotographs":
        """Return the photographs of ``rows``, in their order; without a copy of all of them."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        return CurrentPhotographs(
            [self.paths[row] for row in rows],
            [self.labels[row] for row in rows],
            [self.content_sha256[row] for row in rows],
            self.features[rows],
            self.n_current,
        )


def read_current(output: Output, *, max_images: int = MAX_IMAGES) -> CurrentPhotographs:
    """Read photographs by path; of more than ``max_images`` those with the smallest hashes.

    The same photographs give the same sample.  Raises FruitsError where there are none,
    or where features are not finite numbers.
    """
    files = table_files(output, FEATURES)
    current = read_narrow(files, schemas.FEATURES, ("path",))
    if not current.num_rows:
        raise FruitsError(
            f"{output.uri} holds no features; make some with: fruits run --images URI --output URI"
        )
    chosen = current
    if current.num_rows > max_images:
        chosen = current.take(np.argsort(path_hashes(current["path"]))[:max_images])
    tables = map_here(partial(read_rows, paths_by_file(chosen), _COLUMNS), files)
    return _photographs(pa.concat_tables(tables).sort_by("path"), current.num_rows, output)


def _photographs(table: pa.Table, n_current: int, output: Output) -> CurrentPhotographs:
    features = feature_matrix(table.column("features").combine_chunks()).astype(float32, copy=False)
    if len(features) < table.num_rows or not np.isfinite(features).all():
        raise FruitsError(
            f"features in {output.uri} hold NaN or infinity; check the weights, then "
            "featurize again with --overwrite"
        )
    return CurrentPhotographs(
        table.column("path").to_pylist(),
        table.column("label").to_pylist(),
        table.column("content_sha256").to_pylist(),
        features,
        n_current,
    )
