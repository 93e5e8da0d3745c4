"""The versions that a run's numbers depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

from pyspark import SparkContext

from spark_assets import __version__

_PACKAGES = ("ai-edge-litert", "numpy", "pi-heif", "pillow", "pyarrow")


def versions_in_use(context: SparkContext) -> dict[str, str]:
    """Return versions by name: this project, Python, Java, Spark and the packages that count."""
    java = context._jvm.System.getProperty("java.version")  # type: ignore[union-attr]
    return {
        "fruits": __version__,
        "python": platform.python_version(),
        "java": str(java),
        "spark": context.version,
        **{name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
