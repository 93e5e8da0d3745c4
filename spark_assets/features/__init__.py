"""Features: the feature model, its weights and the engines that compute it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spark_assets.features.engines import Engine, EngineName, build_engine, engine_spec
    from spark_assets.features.feature_model import (
        FeatureModel,
        load_feature_model,
        model_folder,
        save_feature_model,
    )
    from spark_assets.features.weights import FeatureModelRequest

__all__ = [
    "Engine",
    "EngineName",
    "FeatureModel",
    "FeatureModelRequest",
    "build_engine",
    "engine_spec",
    "load_feature_model",
    "model_folder",
    "save_feature_model",
]
_MODULES = ("feature_model", "engines", "weights")


def __getattr__(name: str) -> object:
    """Import a public name at its first use, so that no command loads more than it needs."""
    if name in __all__:
        for module in map(import_module, (f"{__name__}.{each}" for each in _MODULES)):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
