"""From features to the vectors that are classified: unit vectors of their square roots."""

import numpy as np
from numpy import float32, floating, uint8
from numpy.typing import NDArray

from spark_assets.features.engines import Engine

Vectors = NDArray[float32]


def vectors_of(features: NDArray[floating]) -> Vectors:
    """Return (n, n_features) features as vectors of unit length; one of zeros stays one.

    The square root keeps a few strong features from deciding alone; features behind a ReLU6 are
    never below 0.  Of clusters of photographs from phones, left out, the ridge classifier has a
    balanced accuracy of 0.737 on features, 0.745 at unit length and 0.757 with the root (alpha 1.0;
    0.697 on each at alpha 0.35).

    Source: Arandjelović and Zisserman, Three things everyone should know to improve object
    retrieval, CVPR 2012, doi:10.1109/CVPR.2012.6248018.
    """
    roots = np.maximum(features, 0, dtype=float32)
    np.sqrt(roots, out=roots)
    return unit_rows(roots, out=roots)


def vectors_of_views(plain: NDArray[floating], mirrored: NDArray[floating]) -> Vectors:
    """Return the mean direction of photographs and of their mirror images, both (n, n_features).

    The mirror image costs one more run of the network: in the same comparison, balanced accuracy is
    0.776 with it and 0.757 without.  To fit on mirror images too gives 0.8 points more at 320 px,
    and reads all photographs once more.
    """
    return unit_rows(vectors_of(plain) + vectors_of(mirrored))


class ViewsEngine:
    """An engine whose rows are the vectors of photographs and of their mirror images."""

    def __init__(self, engine: Engine) -> None:
        self.batch_size = engine.batch_size
        self._engine = engine

    def __call__(self, pixels: NDArray[uint8]) -> Vectors:
        """Map (n, height, width, 3) uint8 RGB to (n, n_features) float32 of unit length."""
        mirrored = np.ascontiguousarray(pixels[:, :, ::-1])
        return vectors_of_views(self._engine(pixels), self._engine(mirrored))


def unit_rows(rows: Vectors, out: Vectors | None = None) -> Vectors:
    """Return rows of unit length; those of zeros stay.

    ``out`` may be ``rows``: of 200,000 photographs they are 1 GB.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    lengths = np.maximum(lengths, np.finfo(float32).tiny)
    unit: Vectors = np.divide(rows, lengths[:, np.newaxis], out=out)
    return unit
