"""The classifier of fruit: fitted, kept in files, and used by `fruits identify` and programs."""

from typing import TYPE_CHECKING

from spark_assets.lazy_names import lazy_names

if TYPE_CHECKING:
    from recognition.classifier.exported_classifier import load_identifier
    from recognition.classifier.fruit_classifier import FruitClassifier, Neighbor, Prediction
    from recognition.classifier.identifier import FruitIdentifier, Identifier
    from recognition.classifier.variety_classifier import VarietyClassifier

__all__ = [
    "FruitClassifier",
    "FruitIdentifier",
    "Identifier",
    "Neighbor",
    "Prediction",
    "VarietyClassifier",
    "load_identifier",
]
__getattr__ = lazy_names(
    __name__,
    {
        "FruitClassifier": "fruit_classifier",
        "FruitIdentifier": "identifier",
        "Identifier": "identifier",
        "Neighbor": "fruit_classifier",
        "Prediction": "fruit_classifier",
        "VarietyClassifier": "variety_classifier",
        "load_identifier": "exported_classifier",
    },
)
