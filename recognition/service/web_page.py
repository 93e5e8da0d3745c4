"""The page in each language, the files that it loads, and the values that it shows."""

from importlib import resources
from typing import Any

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from recognition.service.limits import MIB, ServiceLimits
from recognition.service.page_language import LANGUAGES, NAMES
from spark_assets.images.thumbnails import data_uri
from spark_assets.text.languages import language as get_language
from spark_assets.text.printable import printable
from spark_assets.text.translated_html import translating_environment

# What a browser may load, with its media type.
ASSETS = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "plane.js": "text/javascript",
}


class PredictionWriter:
    """Turns the predictions of one classifier into JSON.

    Labels and paths hold any character; one that does not print is escaped, as in the report.
    """

    def __init__(self, classifier: FruitClassifier) -> None:
        self._row_of = {path: row for row, path in enumerate(classifier.reference.paths)}

    def prediction_json(self, prediction: Prediction) -> dict[str, Any]:
        """Return a prediction; ``row`` of a neighbor is its index in the reference set."""
        return {
            "label": None if prediction.label is None else printable(prediction.label),
            "top_label": printable(prediction.top_label),
            "probability": prediction.probability,
            "variety": None if prediction.variety is None else printable(prediction.variety),
            "variety_probability": prediction.variety_probability,
            "known_score": prediction.known_score,
            "point": list(prediction.point),
            "neighbors": [
                {
                    "path": printable(each.path),
                    "label": printable(each.label),
                    "similarity": each.similarity,
                    "thumbnail": None if each.thumbnail is None else data_uri(each.thumbnail),
                    "row": self._row_of[each.path],
                }
                for each in prediction.neighbors
            ],
        }


def render(
    classifier: FruitClassifier, record: ClassifierRecord, limits: ServiceLimits, language_code: str
) -> str:
    """Return the page in one language; any path and label is escaped."""
    language = LANGUAGES[language_code]
    environment = translating_environment(language)
    known = _reference_json(classifier)
    about = _record_json(record)
    # The sentence of weights that are not trained, which the report shows too.
    of_report = get_language(language_code, "spark_assets.report")
    warning = None if record.warning is None else of_report.translated(record.warning)
    page_limits = {"max_bytes": limits.max_bytes, "max_mib": limits.max_bytes / MIB}
    return environment.from_string(asset("page.html")).render(
        language=language_code,
        languages=NAMES,
        about=about,
        warning=warning,
        labels=known["labels"],
        page_data={
            "messages": language.messages,
            "known": known,
            "about": about,
            "limits": page_limits,
        },
    )


def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _reference_json(classifier: FruitClassifier) -> dict[str, Any]:
    """Return the reference photographs in the plane of the first two components.

    ``label_of`` is the index in ``labels`` of each; ``shares`` is the explained variance ratio of
    the two components.
    """
    reference = classifier.reference
    labels, label_of = np.unique(np.asarray(reference.labels, dtype=object), return_inverse=True)
    return {
        "labels": [printable(label) for label in labels],
        "label_of": label_of.tolist(),
        # Four digits are more than a screen shows.
        "points": [[float(f"{x:.4g}"), float(f"{y:.4g}")] for x, y in reference.points],
        "shares": [float(share) for share in classifier.pca.explained_variance_ratio[:2]],
        "unknown_threshold": classifier.unknown_detector.threshold,
    }


def _record_json(record: ClassifierRecord) -> dict[str, Any]:
    """Return the provenance and the accuracy of a classifier."""
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
