"""From the answers of classifiers to the record of an evaluation."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recognition.evaluation.labeled import Asking, LabeledPhotographs
from recognition.evaluation.prediction import Asked, ClassifierName, Predictions
from recognition.evaluation.scores import (
    accuracy_interval,
    calibration,
    confusions,
    label_scores,
    temperature_of,
    tempered_probabilities,
)
from recognition.evaluation.spaces import ALL_FEATURES, Space
from spark_assets.output.evaluation import CurvePoint, Evaluation, Score


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """An evaluation, and the temperature at which probabilities of new photographs hold."""

    evaluation: Evaluation
    temperature: float


def evaluated_of(
    photographs: LabeledPhotographs,
    asked_about: LabeledPhotographs,
    answers: dict[str, dict[Asked, Predictions]],
    asking: Asking,
    *,
    left_out: list[str],
    temperature: float | None = None,
    n_rejected: int = 0,
) -> Evaluated:
    """Return the evaluation that answers by split make, the split to go by first.

    ``asked_about`` are the photographs that the rows of the answers are of.  Where no temperature
    is given, each fold's probabilities are judged at that of the others.
    """
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
        n_looked_at=asking.n_looked_at,
        n_current=asking.n_current,
        n_tested=len(truth),
        n_test_rejected=n_rejected,
        n_copies=asking.n_copies,
        labels=sorted(set(photographs.labels)),
        labels_left_out=left_out,
        scores=[
            _score(asked_about, split, each, answers[split][each])
            for split in answers
            for space in (kept, ALL_FEATURES)
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
