"""Networks that were converted before, kept for each user: TensorFlow takes seconds to make one.

A network is found again by all that it was made from: the weights, the code, the libraries.  They
lie in the folder that the environment names FRUITS_CACHE, or in ``~/.cache/fruits``.
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

# TensorFlow has a name of its own for machines without a GPU.
_LIBRARIES = ("tensorflow", "tensorflow-cpu", "keras", "ai-edge-litert", "numpy")


def kept_or_made(
    made_from: str, packages: Sequence[str], make: Callable[[], FeatureModel]
) -> FeatureModel:
    """Return the network that was made like this before, or make it and keep it.

    ``made_from`` says what ``make`` starts with.  The code of ``packages`` counts too: where it has
    changed, the network is made anew.  That one cannot be kept is said, and fails nothing.
    """
    folder = Location(str(_networks() / _key(made_from, packages)))
    try:
        return load_feature_model(model_folder(folder))
    except (FruitsError, OSError):  # not there, incomplete, damaged: making it mends them all
        network = make()
    try:
        save_feature_model(network, folder)
    except FruitsError as error:
        echo(f"the network is not kept for the next run: {error}")
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
