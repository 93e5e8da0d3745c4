"""Features on their first axes, for the neighbour search and the audit of labels."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from recognition.classifier.vectors import unit_rows

# Of 1280.  200,000 photographs take 205 MB.
_N_DIMENSIONS = 256
_MAX_FITTED = 20_000
_ROWS_AT_A_TIME = 8192
_SEED = 0


def reduce_features(features: NDArray[float32]) -> NDArray[float32]:
    """Return centred features of unit length on their first axes, (n, at most 256) float32.

    Of more than 20,000 rows, the axes are those of a random sample (PCA by Halko, Martinsson and
    Tropp 2011, doi:10.1137/090771806); rows are projected in blocks, so that there is no second
    matrix as large as ``features``.
    """
    n_rows = len(features)
    mean = features.mean(axis=0, dtype=np.float64).astype(float32)
    sample = features
    if n_rows > _MAX_FITTED:
        chosen = np.random.default_rng(_SEED).choice(n_rows, _MAX_FITTED, replace=False)
        sample = features[np.sort(chosen)]
    sample = unit_rows(sample - mean)
    if not sample.any():  # all features are equal
        return np.zeros((n_rows, 1), float32)
    pca = PCA(min(_N_DIMENSIONS, *sample.shape), svd_solver="randomized", random_state=_SEED)
    axes = pca.fit(sample).components_.T
    reduced = np.empty((n_rows, axes.shape[1]), float32)
    for start in range(0, n_rows, _ROWS_AT_A_TIME):
        block = slice(start, start + _ROWS_AT_A_TIME)
        reduced[block] = unit_rows(unit_rows(features[block] - mean) @ axes)
    return reduced
