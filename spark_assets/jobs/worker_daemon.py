"""The process that Spark forks its Python workers from, on one machine: it loads what they use.

Spark's own, ``pyspark.daemon``, leaves that to each worker, at its first task.  It also takes
PySpark from the zips that Spark puts before the installed package, which Python compiles anew at
every start: half a second until the first image.
"""

import sys
from pathlib import Path

_ZIPS = ("pyspark.zip", "py4j-")
sys.path[:] = [place for place in sys.path if not Path(place).name.startswith(_ZIPS)]

# They come from the installed package now.
import ai_edge_litert.interpreter  # noqa: E402, F401
from pyspark.daemon import manager  # noqa: E402

import spark_assets.chain.pca_over_files  # noqa: E402
import spark_assets.features.on_spark  # noqa: E402, F401
from spark_assets.images.decoding import prepare_pillow  # noqa: E402
from spark_assets.runtime.distribute import freeze_loaded_modules  # noqa: E402

if __name__ == "__main__":
    prepare_pillow()  # before the fork: else each worker loads the decoders
    freeze_loaded_modules()
    manager()  # type: ignore[no-untyped-call]
