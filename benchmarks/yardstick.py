"""The yardstick: how the notebooks that people start from featurize photographs with Spark.

``binaryFile`` brings every file into a column, the label is cut out of the path, the rows are
dealt to 20 partitions, and a pandas UDF rebuilds the network from broadcast weights once a
partition and calls ``predict`` on each Arrow batch.  It runs as a process of its own, from start
to written Parquet, like the command it is compared with.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

# pyspark tells the kind of a pandas UDF from these annotations, so they cannot be Any.
import pandas as pd  # type: ignore[import-untyped]
from pyspark.ml.feature import PCA
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, element_at, split
from pyspark.sql.pandas.functions import pandas_udf

IMAGE_SIZE_PX = 224
ARROW_BATCH_ROWS = 1024
N_PARTITIONS = 20
N_COMPONENTS = 100


def build_network(alpha: float) -> Any:  # noqa: ANN401 - Keras ships no types
    """Build MobileNetV2 with global average pooling and no weights yet."""
    from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2

    return MobileNetV2(
        include_top=False,
        weights=None,
        alpha=alpha,
        pooling="avg",
        input_shape=(IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3),
    )


def featurize(images: DataFrame, weights_path: str, alpha: float) -> DataFrame:
    """Return ``path``, ``label``, ``features`` of the rows of a ``binaryFile`` table."""
    network = build_network(alpha)
    network.load_weights(weights_path)
    broadcast_weights = images.sparkSession.sparkContext.broadcast(network.get_weights())

    # The stubs cannot tell the kind of a UDF from annotations; Spark can.
    @pandas_udf("array<float>")  # type: ignore[call-overload, untyped-decorator]
    def predict(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        import numpy as np
        from PIL import Image
        from tensorflow.keras.applications.mobilenet_v2 import preprocess_input

        def pixels(content: bytes) -> Any:  # noqa: ANN401 - a row of pixels
            image = Image.open(io.BytesIO(content)).convert("RGB")
            image = image.resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC)
            return preprocess_input(np.asarray(image, dtype=np.float32))

        model = build_network(alpha)
        model.set_weights(broadcast_weights.value)
        for contents in batches:
            predictions = model.predict(np.stack(contents.map(pixels)), verbose=0)
            yield pd.Series(list(predictions))

    label = element_at(split(col("path"), "/"), -2)
    return images.select("path", label.alias("label"), predict("content").alias("features"))


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Featurize, write, and reduce where asked; return the seconds of each stage."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    seconds = {}
    started = time.perf_counter()
    spark = (
        SparkSession.builder.appName("yardstick")
        .master(arguments.master)
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", str(ARROW_BATCH_ROWS))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    images = (
        spark.read.format("binaryFile")
        .option("pathGlobFilter", "*.jpg")
        .option("recursiveFileLookup", "true")
        .load(arguments.images)
        .repartition(arguments.partitions)
    )
    featurized = featurize(images, arguments.weights, arguments.alpha)
    features_path = f"{arguments.output}/features"
    featurized.write.mode("overwrite").parquet(features_path)
    seconds["featurize"] = time.perf_counter() - started

    if arguments.pca:
        started = time.perf_counter()
        features = spark.read.parquet(features_path)
        vectors = features.select("path", "label", array_to_vector(col("features")).alias("vector"))
        pca = PCA(k=arguments.n_components, inputCol="vector", outputCol="pca_features")
        reduced = pca.fit(vectors).transform(vectors)
        reduced.select("path", "label", "pca_features").write.mode("overwrite").parquet(
            f"{arguments.output}/reduced"
        )
        seconds["reduce"] = time.perf_counter() - started
    spark.stop()
    return seconds


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.yardstick", description=__doc__)
    parser.add_argument("--images", required=True, help="folder of JPEG photographs")
    parser.add_argument("--weights", required=True, help="Keras .weights.h5 without top")
    parser.add_argument("--output", required=True, help="folder for the tables")
    parser.add_argument("--alpha", type=float, default=1.0, help="width of the network")
    parser.add_argument("--partitions", type=int, default=N_PARTITIONS)
    parser.add_argument("--pca", action="store_true", help="reduce with MLlib as well")
    parser.add_argument("--n-components", type=int, default=N_COMPONENTS)
    parser.add_argument("--master", default="local[2]")
    return parser.parse_args(argv)


if __name__ == "__main__":
    print(json.dumps(run(parse_arguments())))
