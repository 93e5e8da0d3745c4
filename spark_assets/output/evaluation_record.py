"""What the features of an output are worth, as it was measured: read by the report."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.commit import Change
from spark_assets.output.output import CLASSIFIER, Output
from spark_assets.storage.files import to_json
from spark_assets.storage.parquet import from_parquet, to_parquet

_JSON = "evaluation.json"
NEAREST, RIDGE = "nearest neighbors", "ridge classifier"
# What training and test do not share.
OBJECTS, CLUSTERS, PHOTOGRAPHS, TEST = "objects", "clusters", "photographs", "test"


@dataclass(frozen=True, slots=True)
class Score:
    """How often one classifier was right; shares from 0 to 1.

    ``split`` says what training and test did not share: ``objects``, ``clusters`` of similar
    photographs, single ``photographs``, or ``test`` for photographs from another place.
    ``n_components`` is None for all features.  The accuracy lies between ``low`` and ``high``
    in 95 % of samples of as many objects.
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
    """The same for one label, ``n`` photographs of it."""

    label: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many photographs of a label were given a label, the right one or another."""

    label: str
    predicted: str
    n: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Photographs whose probability lies in one tenth: how sure, and how often right."""

    n: int
    mean_probability: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The accuracy with some components; ``share`` of the variance, None for a plain number."""

    classifier: str
    n_components: int
    share: float | None
    accuracy: float


@dataclass(frozen=True, slots=True)
class VarietyScores:
    """How often the variety was right; shares from 0 to 1.

    Of ``n_tested`` photographs with a variety, ``accuracy`` (in 95 % of samples of as many objects
    between ``low`` and ``high``) is the share whose label and variety are both right, whatever the
    probability; ``share_answered`` is the share for which a variety is answered, whose probability
    is at least ``min_probability``.  ``accuracy_answered`` is of those, and of photographs of
    labels without varieties for which one is answered; None where none is.  ``n_left_out``
    photographs are of a variety that the training part had not, or had alone of its label.
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

    ``scores`` has the one to go by first, that of the ridge classifier that is kept, whose
    ``penalty`` and number of components the split ``chosen_by`` has chosen, with
    ``n_neighbors`` for the nearest neighbors.  ``by_label``, ``confusions``, ``calibration``
    and ``calibration_error`` (the mean distance of probability and accuracy) are of that score.
    ``n_copies`` photographs are left out, which are another one of the output or of the test
    byte for byte.  ``labels_left_out`` have one object only, so that nobody can tell whether
    another would be recognized.  ``varieties`` is None where no varieties are named.
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
    n_looked_at: int
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
        """Whether the output has more photographs than were looked at."""
        return self.n_looked_at < self.n_current

    @property
    def main_split(self) -> str:
        """What training and test did not share in the scores to go by."""
        return self.scores[0].split

    @property
    def main_score(self) -> Score:
        """The score of the classifier that is kept, in the split to go by."""
        return self.scores[0]

    @property
    def mistakes(self) -> list[Confusion]:
        """The wrong answers, the most frequent first."""
        wrong = [each for each in self.confusions if each.label != each.predicted]
        return sorted(wrong, key=lambda each: (-each.n, each.label, each.predicted))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Evaluation":
        """Return what was written."""
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
    """Return the file of an evaluation by name, to lie beside the classifier fitted with it."""
    return {_JSON: to_json(asdict(evaluation))}


def read_evaluation(output: Output) -> Evaluation | None:
    """Return the evaluation of an output's features, None where there is none."""
    value = output.read_json(f"{CLASSIFIER}/{_JSON}")
    return None if value is None else Evaluation.from_json(value)


RECORD, REFERENCE = "classifier.json", "known.parquet"


def fitted_on(output: Output) -> dict[str, int]:
    """Return how many rows of features of each run a classifier was fitted on: of none if none."""
    record = output.folder(CLASSIFIER).read(RECORD)
    return {} if record is None else json.loads(record)["made_from"]


def remove_references(output: Output, change: Change, paths: pa.Array) -> None:
    """Take photographs out of those that new ones are compared with.

    Without any, the classifier goes.
    """
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
