"""The classifier of fruit: fitted, kept in files, and used by `fruits identify` and programs."""

from importlib import import_module
from typing import TYPE_CHECKING

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
_MODULES = ("variety_classifier", "fruit_classifier", "identifier", "exported_classifier")


def __getattr__(name: str) -> object:
    """Import a public name at its first use: NumPy, Pillow and PyArrow take half a second."""
    if name in __all__:
        for module in map(import_module, (f"{__name__}.{each}" for each in _MODULES)):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
