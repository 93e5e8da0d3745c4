"""The folder ``classifier/``: the record of an evaluation, and the files that hold photographs.

Package `recognition` writes and reads the other files of the folder.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change
from spark_assets.output.output import CLASSIFIER, Output
from spark_assets.storage.files import to_json
from spark_assets.storage.parquet import from_parquet, to_parquet

_JSON = "evaluation.json"
NEAREST, RIDGE = "nearest neighbors", "ridge classifier"
# What the training and test parts of a split do not share.
OBJECTS, CLUSTERS, PHOTOGRAPHS, TEST = "objects", "clusters", "photographs", "test"


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of one classifier; shares from 0 to 1.

    Attributes
    ----------
    split : str
        What training and test parts do not share: ``objects``, ``clusters`` of similar photographs,
        or single ``photographs``; ``test`` for a test set from elsewhere.
    n_components : int or None
        Components of the PCA; None for all features.
    low, high : float
        Interval that holds the accuracy in 95 % of samples of as many objects.
    """

    classifier: str
    split: str
    n_components: int | None
    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class LabelScore:
    """The scores of one label with ``n`` photographs."""

    label: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """One cell of the confusion matrix."""

    label: str
    predicted: str
    n: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One of ten bins of predicted probability, with the observed accuracy."""

    n: int
    mean_probability: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The accuracy with ``n_components``; ``share`` of the variance, None for a fixed number."""

    classifier: str
    n_components: int
    share: float | None
    accuracy: float


@dataclass(frozen=True, slots=True)
class VarietyScores:
    """The scores of varieties; shares from 0 to 1.

    Attributes
    ----------
    n_tested : int
        Photographs with a variety.
    n_left_out : int
        Photographs of a variety that the training part lacks, or that is the only one of its label.
    accuracy : float
        Share of ``n_tested`` with the right label and variety, whatever the probability.
    low, high : float
        Interval that holds it in 95 % of samples of as many objects.
    min_probability : float
        Threshold above which a variety is predicted.
    share_answered : float
        Share of ``n_tested`` with a predicted variety.
    accuracy_answered : float or None
        Accuracy of predicted varieties, those for labels without varieties included.
    """

    variety_regex: str
    n_varieties: int
    n_tested: int
    n_left_out: int
    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    min_probability: float
    share_answered: float
    accuracy_answered: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of the features behind one PCA model.

    Attributes
    ----------
    n_current, n_sampled, n_tested : int
        Photographs of the output; those evaluated (all, or a random sample); those predicted.
    n_copies : int
        Photographs left out as byte-identical to another of the output or the test set.
    penalty, n_neighbors : float, int
        Regularization of the ridge classifier, and the number of nearest neighbors.
    chosen_by : str
        The split that chose the penalty and the number of components.
    labels_left_out : list of str
        Labels with a single object, which cannot be in both parts.
    scores : list of Score
        The main score is the first: that of the ridge classifier that is kept.
    by_label, confusions, calibration : list
        Details of the main score.
    calibration_error : float
        Mean distance of probability and accuracy, of the main score.
    varieties : VarietyScores or None
        None without varieties.
    """

    model_id: str
    made_at: str
    network_sha256: str
    warning: str | None
    n_folds: int | None
    group_by: str | None
    n_photographs: int
    n_objects: int
    n_unlabeled: int
    n_sampled: int
    n_current: int
    n_tested: int
    n_test_rejected: int
    n_copies: int
    penalty: float
    n_neighbors: int
    chosen_by: str
    labels: list[str]
    labels_left_out: list[str]
    scores: list[Score]
    by_label: list[LabelScore]
    confusions: list[Confusion]
    calibration: list[CalibrationBin]
    calibration_error: float
    curve: list[CurvePoint]
    varieties: VarietyScores | None = None

    @property
    def is_sample(self) -> bool:
        """Whether a sample was evaluated, not all photographs."""
        return self.n_sampled < self.n_current

    @property
    def main_split(self) -> str:
        """The split of the main score."""
        return self.scores[0].split

    @property
    def main_score(self) -> Score:
        """The score of the classifier that is kept."""
        return self.scores[0]

    @property
    def mistakes(self) -> list[Confusion]:
        """Cells of the confusion matrix off its diagonal, the most frequent first."""
        wrong = [each for each in self.confusions if each.label != each.predicted]
        return sorted(wrong, key=lambda each: (-each.n, each.label, each.predicted))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Evaluation":
        lists = {
            "scores": Score,
            "by_label": LabelScore,
            "confusions": Confusion,
            "calibration": CalibrationBin,
            "curve": CurvePoint,
        }
        made = {name: [kind(**each) for each in value[name]] for name, kind in lists.items()}
        varieties = value.get("varieties")
        found = None if varieties is None else VarietyScores(**varieties)
        return cls(**{**value, **made, "varieties": found})


def evaluation_file(evaluation: Evaluation) -> dict[str, bytes]:
    """Return the file of an evaluation by name, for ``classifier/``."""
    return {_JSON: to_json(asdict(evaluation))}


def read_evaluation(output: Output) -> Evaluation | None:
    """Return the evaluation of an output's features, or None.

    Raises FruitsError for the file of a version with other fields.
    """
    value = output.read_json(f"{CLASSIFIER}/{_JSON}")
    try:
        return None if value is None else Evaluation.from_json(value)
    except (KeyError, TypeError) as error:
        raise FruitsError(
            f"{output.uri}/{CLASSIFIER}/{_JSON} does not describe an evaluation of this version; "
            f"evaluate again with: fruits evaluate --output {output.uri}"
        ) from error


RECORD, REFERENCE = "classifier.json", "known.parquet"


def fitted_on(output: Output) -> dict[str, int]:
    """Return the number of rows by run that the classifier was fitted on; empty without one."""
    record = output.folder(CLASSIFIER).read(RECORD)
    return {} if record is None else json.loads(record)["made_from"]


def remove_references(output: Output, change: Change, paths: pa.Array) -> None:
    """Remove photographs from the reference set; without a photograph left, the classifier."""
    folder = output.folder(CLASSIFIER)
    record, content = folder.read(RECORD), folder.read(REFERENCE)
    if record is None or content is None:
        return
    held = from_parquet(content)
    kept = held.filter(pc.invert(pc.is_in(held["path"], value_set=paths)))
    if kept.num_rows == held.num_rows:
        return
    if not kept.num_rows:
        change.remove_folder(CLASSIFIER)
        return
    written, value = to_parquet(kept), json.loads(record)
    value["sha256"][REFERENCE] = hashlib.sha256(written).hexdigest()
    change.put(f"{CLASSIFIER}/{REFERENCE}", written)
    change.put(f"{CLASSIFIER}/{RECORD}", to_json(value))
