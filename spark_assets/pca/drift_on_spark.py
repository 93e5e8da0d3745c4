"""The sample of a features table on Spark: a bounded number of rows comes to the driver.

1,000 images of 1280 features are 5 MB, and the arithmetic on them takes less than a task does to
start: only the choice of the sample is Spark's.
"""

import math

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_assets.pca.drift import MAX_LABELS, MAX_SAMPLE
from spark_assets.pca.sample import Labels, Sample, distinct_labels

_HASH_RANGE = 16**8


def collect_sample(features: DataFrame, n_images: int) -> Sample:
    """Return the sample of ``n_images`` rows with the columns path, label and features."""
    rows = features.select("path", "features")
    # The bound that leaves a few too many, for the driver to cut: sorting in Spark would hold
    # 5 MB of each partition.
    wanted = MAX_SAMPLE + 6 * math.isqrt(MAX_SAMPLE)
    if n_images > wanted:
        bound = f"{_HASH_RANGE * wanted // n_images:08x}"
        rows = rows.where(F.sha2("path", 256) < bound)
    return Sample(rows.toArrow(), n_images, _labels(features))


def _labels(features: DataFrame) -> Labels:
    labels = features.select("label").where(F.col("label").isNotNull()).distinct()
    return distinct_labels(labels.limit(MAX_LABELS + 1).toArrow().column("label"))
