"""The evaluation of features: of labeled photographs by folds, or of others by a fitted PCA."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy import floating
from numpy.typing import NDArray

from recognition.current import CurrentPhotographs
from recognition.evaluation.folds import (
    Fold,
    folds_by_object,
    folds_by_photograph,
    labels_with_one_object,
)
from recognition.evaluation.prediction import Asked, ClassifierName, Predictions, predict_folds
from recognition.evaluation.scores import (
    accuracy_interval,
    calibration,
    confusions,
    label_scores,
    temperature_of,
    tempered_probabilities,
)
from recognition.evaluation.spaces import Space
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.evaluation import CurvePoint, Evaluation, Score

_CURVE = (2, 0.5, 0.8, 0.9, 0.95, 0.99)
_ALL = Space(None)


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPhotographs:
    """Features (n, n_features), and the label and the object of each."""

    features: NDArray[floating]
    labels: list[str]
    objects: list[str]

    @classmethod
    def of(cls, photographs: CurrentPhotographs, objects: Sequence[str]) -> "LabeledPhotographs":
        """Return those of current photographs that have a label."""
        rows = [row for row, label in enumerate(photographs.labels) if label is not None]
        labels = [label for label in photographs.labels if label is not None]
        return cls(photographs.features[rows], labels, [objects[row] for row in rows])

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int]) -> "LabeledPhotographs":
        """Return some of them."""
        labels = [self.labels[row] for row in rows]
        return LabeledPhotographs(self.features[rows], labels, [self.objects[row] for row in rows])


@dataclass(frozen=True, slots=True)
class Asking:
    """How an evaluation is made.  ``components`` is what the PCA was asked to keep."""

    model_id: str
    facts: FeatureModelFacts
    components: int | float
    n_folds: int
    group_by: str | None
    n_unlabeled: int
    n_current: int


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """An evaluation, and the temperature at which probabilities of new photographs hold."""

    evaluation: Evaluation
    temperature: float


def evaluate_by_folds(photographs: LabeledPhotographs, asking: Asking) -> Evaluated:
    """Leave objects out, and beside it photographs, so that one sees how much the latter flatters.

    Raises FruitsError where there are fewer than two labels, or too few photographs for the folds.
    """
    left_out = [] if asking.group_by is None else _left_out(photographs)
    rows = [row for row, label in enumerate(photographs.labels) if label not in left_out]
    asked_about = photographs.take(rows)
    if len(set(asked_about.labels)) < 2:
        raise _too_few_labels(asked_about, left_out)
    by_photograph = folds_by_photograph(asked_about.labels, asking.n_folds)
    if asking.group_by is None:
        splits = {"photographs": by_photograph}
    else:
        by_object = folds_by_object(asked_about.labels, asked_about.objects, asking.n_folds)
        splits = {"objects": by_object, "photographs": by_photograph}
    answers = {
        split: _answers(asked_about, folds, asking, split) for split, folds in splits.items()
    }
    return _evaluated(photographs, asked_about, answers, asking, left_out=left_out)


def evaluate_on_others(
    photographs: LabeledPhotographs, others: LabeledPhotographs, asking: Asking, *, n_rejected: int
) -> Evaluated:
    """Fit on all photographs and ask about others, projected with the same PCA.

    The temperature is that of folds of the first.  Raises FruitsError as `evaluate_by_folds`, and
    where none of the others has a label of the first.
    """
    known = set(photographs.labels)
    rows = [row for row, label in enumerate(others.labels) if label in known]
    if len(known) < 2:
        raise _too_few_labels(photographs, [])
    if not rows:
        raise FruitsError(
            f"none of the {len(others)} test photographs has one of the {len(known)} labels of the "
            "output; give --test-images a folder with the same folders in it"
        )
    asked_about = others.take(rows)
    both = LabeledPhotographs(
        np.concatenate([photographs.features, asked_about.features]),
        photographs.labels + asked_about.labels,
        photographs.objects + asked_about.objects,
    )
    n = len(photographs)
    fold = Fold(np.arange(n), np.arange(n, len(both)))
    answers = {"test": _answers(both, [fold], asking, "test")}
    temperature = _temperature_by_folds(photographs, asking)
    left_out = sorted({label for label in others.labels if label not in known})
    return _evaluated(
        photographs,
        both,
        answers,
        asking,
        left_out=left_out,
        temperature=temperature,
        n_rejected=n_rejected,
    )


def _temperature_by_folds(photographs: LabeledPhotographs, asking: Asking) -> float:
    labels = photographs.labels
    if asking.group_by is None:
        folds = folds_by_photograph(labels, asking.n_folds)
    else:
        folds = folds_by_object(labels, photographs.objects, asking.n_folds)
    asked = (ClassifierName.LOGISTIC, Space(asking.components))
    answers = predict_folds(photographs.features, labels, folds, [asked])[asked]
    truth = np.asarray(labels)[answers.all_rows]
    return temperature_of(answers, np.searchsorted(sorted(set(labels)), truth))


def _left_out(photographs: LabeledPhotographs) -> list[str]:
    return labels_with_one_object(photographs.labels, photographs.objects)


def _too_few_labels(photographs: LabeledPhotographs, left_out: Sequence[str]) -> FruitsError:
    n = len(set(photographs.labels))
    why = f", once the {len(left_out)} with a single object are left out" if left_out else ""
    return FruitsError(
        f"there are photographs of {n} label{'' if n == 1 else 's'}{why}, and 2 are needed to tell "
        "labels apart; sort the photographs in folders named after what is on them, give "
        "--label-level, or give another --group-by"
    )


def _answers(
    photographs: LabeledPhotographs, folds: Sequence[Fold], asking: Asking, split: str
) -> dict[Asked, Predictions]:
    kept = Space(asking.components)
    # Where objects are left out, the curve along the components is drawn of that.
    has_curve = split != "photographs" or asking.group_by is None
    spaces = {kept, _ALL, *(map(Space, _CURVE) if has_curve else ())}
    ordered = sorted(spaces, key=lambda space: str(space.components))
    asked = [(classifier, space) for classifier in ClassifierName for space in ordered]
    return predict_folds(photographs.features, photographs.labels, folds, asked)


def _evaluated(
    photographs: LabeledPhotographs,
    asked_about: LabeledPhotographs,
    answers: dict[str, dict[Asked, Predictions]],
    asking: Asking,
    *,
    left_out: list[str],
    temperature: float | None = None,
    n_rejected: int = 0,
) -> Evaluated:
    kept = Space(asking.components)
    split, main = next(iter(answers.items()))
    logistic = main[ClassifierName.LOGISTIC, kept]
    order = sorted(set(asked_about.labels))
    truth = np.asarray(asked_about.labels)[logistic.all_rows]
    columns = np.searchsorted(order, truth)
    shares = tempered_probabilities(logistic, columns, temperature=temperature)
    bins, error = calibration(shares, columns)
    evaluation = Evaluation(
        model_id=asking.model_id,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        network_sha256=asking.facts.network_sha256,
        warning=asking.facts.warning,
        n_folds=None if split == "test" else asking.n_folds,
        group_by=asking.group_by,
        n_photographs=len(photographs),
        n_objects=len(set(photographs.objects)),
        n_unlabeled=asking.n_unlabeled,
        n_current=asking.n_current,
        n_tested=len(truth),
        n_test_rejected=n_rejected,
        labels=sorted(set(photographs.labels)),
        labels_left_out=left_out,
        scores=[
            _score(asked_about, split, each, answers[split][each])
            for split in answers
            for space in (kept, _ALL)
            for each in ((classifier, space) for classifier in ClassifierName)
        ],
        by_label=label_scores(truth, logistic.all_predicted),
        confusions=confusions(truth, logistic.all_predicted),
        calibration=bins,
        calibration_error=error,
        curve=_curve(asked_about, main),
    )
    if temperature is None:
        temperature = temperature_of(logistic, columns)
    return Evaluated(evaluation, temperature)


def _score(
    photographs: LabeledPhotographs, split: str, asked: Asked, predictions: Predictions
) -> Score:
    rows = predictions.all_rows
    truth = np.asarray(photographs.labels)[rows]
    predicted = predictions.all_predicted
    objects = [photographs.objects[row] for row in rows]
    accuracy, low, high = accuracy_interval(truth == predicted, objects)
    by_label = label_scores(truth, predicted)
    return Score(
        classifier=str(asked[0]),
        split=split,
        n_components=predictions.typical_n_components,
        accuracy=accuracy,
        low=low,
        high=high,
        balanced_accuracy=float(np.mean([each.recall for each in by_label])),
        macro_f1=float(np.mean([each.f1 for each in by_label])),
    )


def _curve(photographs: LabeledPhotographs, answers: dict[Asked, Predictions]) -> list[CurvePoint]:
    labels = np.asarray(photographs.labels)
    points = []
    for (classifier, space), predictions in answers.items():
        n_components = predictions.typical_n_components
        if n_components is None:
            continue
        accuracy = float(np.mean(labels[predictions.all_rows] == predictions.all_predicted))
        share = space.components if isinstance(space.components, float) else None
        points.append(CurvePoint(str(classifier), n_components, share, accuracy))
    return sorted(points, key=lambda point: (point.classifier, point.n_components))
