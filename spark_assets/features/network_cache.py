"""The cache of converted networks: TensorFlow takes seconds to make one.

The key of a network covers the weights, the code and the libraries.  The cache is in the folder
FRUITS_CACHE, or in ``~/.cache/fruits``.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import (
    FeatureModel,
    load_feature_model,
    model_folder,
    save_feature_model,
)
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location, user_folder

# TensorFlow has another name for machines without a GPU.
_LIBRARIES = ("tensorflow", "tensorflow-cpu", "keras", "ai-edge-litert", "numpy")


def cached_network(
    made_from: str, packages: Sequence[str], make: Callable[[], FeatureModel]
) -> FeatureModel:
    """Return the cached network, or make it and write it to the cache.

    ``made_from`` describes the input of ``make``; the key covers it and the code of ``packages``.
    A cache that cannot be written is reported, and is no error.
    """
    folder = Location(str(_networks() / _key(made_from, packages)))
    try:
        return load_feature_model(model_folder(folder))
    except (FruitsError, OSError):  # missing, incomplete or damaged: it is made again
        network = make()
    try:
        save_feature_model(network, folder)
    except FruitsError as error:
        echo(f"the network is not cached for the next run: {error}")
    return network


def _networks() -> Path:
    cache = os.environ.get("FRUITS_CACHE")
    return (Path(cache) if cache else user_folder() / ".cache" / "fruits") / "networks"


def _key(made_from: str, packages: Sequence[str]) -> str:
    digest = hashlib.sha256(made_from.encode())
    for library in _LIBRARIES:
        digest.update(f" {library} {_version(library)}".encode())
    for package in packages:
        for source in sorted(files(package).iterdir(), key=lambda each: each.name):
            if source.name.endswith(".py"):
                digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
