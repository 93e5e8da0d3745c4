"""Features: the feature model, its weights and the engines that compute it."""

from typing import TYPE_CHECKING

from spark_assets.lazy_names import lazy_names

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
__getattr__ = lazy_names(
    __name__,
    {
        "Engine": "engines",
        "EngineName": "engines",
        "FeatureModel": "feature_model",
        "FeatureModelRequest": "weights",
        "build_engine": "engines",
        "engine_spec": "engines",
        "load_feature_model": "feature_model",
        "model_folder": "feature_model",
        "save_feature_model": "feature_model",
    },
)
