"""Answers as plain values, and what a page has to know to show them."""

from typing import Any

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from spark_assets.images.thumbnails import data_uri
from spark_assets.text.printable import printable


class AnswerWriter:
    """Turns the answers of one classifier into JSON.

    Labels and paths hold any character; what does not print is an escape, as in the report.
    """

    def __init__(self, classifier: FruitClassifier) -> None:
        self._row_of = {path: row for row, path in enumerate(classifier.reference.paths)}

    def answer_json(self, answer: Prediction) -> dict[str, Any]:
        """Return an answer; ``row`` of a neighbor is its place among the known photographs."""
        return {
            "label": None if answer.label is None else printable(answer.label),
            "top_label": printable(answer.top_label),
            "probability": answer.probability,
            "variety": None if answer.variety is None else printable(answer.variety),
            "variety_probability": answer.variety_probability,
            "known_score": answer.known_score,
            "point": list(answer.point),
            "neighbors": [
                {
                    "path": printable(each.path),
                    "label": printable(each.label),
                    "similarity": each.similarity,
                    "thumbnail": None if each.thumbnail is None else data_uri(each.thumbnail),
                    "row": self._row_of[each.path],
                }
                for each in answer.neighbors
            ],
        }


def known_json(classifier: FruitClassifier) -> dict[str, Any]:
    """Return the known photographs as points in the plane of the first two components.

    ``label_of`` is the index in ``labels`` for each; ``shares`` is the part of the variance that
    each of the two components explains.
    """
    known = classifier.reference
    labels, label_of = np.unique(np.asarray(known.labels, dtype=object), return_inverse=True)
    return {
        "labels": [printable(label) for label in labels],
        "label_of": label_of.tolist(),
        "points": [[_short(float(x)), _short(float(y))] for x, y in known.points],
        "shares": [float(share) for share in classifier.pca.explained_variance_ratio[:2]],
        "unknown_threshold": classifier.unknown_detector.threshold,
    }


def about_json(record: ClassifierRecord) -> dict[str, Any]:
    """Return where a classifier comes from, and how often it was right."""
    return {
        "n_photographs": record.n_photographs,
        "n_labels": record.n_labels,
        "made_at": record.made_at,
        "model_id": record.model_id,
        "accuracy": record.accuracy,
        "accuracy_low": record.accuracy_low,
        "accuracy_high": record.accuracy_high,
        "of_new_objects": record.group_by is not None,
        "warning": None if record.warning is None else printable(record.warning),
    }


def _short(number: float) -> float:
    """Return a number with the digits that a screen can show."""
    return float(f"{number:.4g}")
