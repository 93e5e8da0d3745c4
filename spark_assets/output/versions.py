"""The versions that a run's numbers depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

import pyspark
from pyspark import SparkContext

from spark_assets import __version__

_PACKAGES = ("ai-edge-litert", "numpy", "pi-heif", "pillow", "pyarrow")


def versions_in_use(context: SparkContext | None = None) -> dict[str, str]:
    """Return versions by name: this project, Python, Spark and the packages that count.

    With a context, that of Java is among them.
    """
    java = {}
    if context is not None:
        java["java"] = str(context._jvm.System.getProperty("java.version"))  # type: ignore[union-attr]
    return {
        "fruits": __version__,
        "python": platform.python_version(),
        **java,
        "spark": pyspark.__version__,
        **{name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
