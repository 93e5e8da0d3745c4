"""From out-of-fold predictions to the record of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy import float64, intp
from numpy.typing import NDArray

from recognition.classifier.fit_classifier import HeldOut
from recognition.classifier.ridge import Setting
from recognition.evaluation.fold_predictions import Components, FittedFolds, Predictions
from recognition.evaluation.labeled_photographs import EvaluationSetup, LabeledPhotographs
from recognition.evaluation.metrics import (
    Labels,
    accuracy_interval,
    balanced_accuracy,
    calibration,
    confusions,
    label_scores,
)
from spark_assets.output.evaluation_record import (
    NEAREST,
    RIDGE,
    TEST,
    CurvePoint,
    Evaluation,
    Score,
    VarietyScores,
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen setting and number of neighbors, and the split that decided."""

    setting: Setting
    n_neighbors: int
    split: str


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """An evaluation, and the values to fit a classifier with.

    ``variety_temperature`` is None without ``--variety-regex``.
    """

    evaluation: Evaluation
    setting: Setting
    held_out: HeldOut
    variety_temperature: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SplitScores:
    """The scores of one split, and the predictions of the chosen setting, whose score is first."""

    scores: list[Score]
    curve: list[CurvePoint]
    predictions: Predictions


def split_scores(
    fitted: FittedFolds,
    split: str,
    photographs: LabeledPhotographs,
    chosen: Chosen,
    components: Sequence[Components],
    *,
    curve: Sequence[Components],
) -> SplitScores:
    """Score the chosen setting, both classifiers in some components, and along a curve of them."""
    setting = chosen.setting
    compared = dict.fromkeys((*components, *curve))
    ridge = fitted.ridge(
        Setting(setting.penalty, each) for each in dict.fromkeys((setting.components, *compared))
    )
    nearest = {each: fitted.nearest(each)[chosen.n_neighbors] for each in compared}
    main = ridge[setting]
    scored = [(RIDGE, main)]
    for each in components:
        if each != setting.components:
            scored.append((RIDGE, ridge[Setting(setting.penalty, each)]))
        scored.append((NEAREST, nearest[each]))
    points = [
        CurvePoint(
            name,
            predictions.n_components,
            each if isinstance(each, float) else None,
            float(np.mean(fitted.codes[predictions.rows] == predictions.codes)),
        )
        for each in curve
        for name, predictions in (
            (RIDGE, ridge[Setting(setting.penalty, each)]),
            (NEAREST, nearest[each]),
        )
        if predictions.n_components is not None
    ]
    names = np.asarray(photographs.coded()[0])
    return SplitScores(
        [
            _score(fitted, names, photographs.objects, split, name, predictions)
            for name, predictions in scored
        ],
        sorted(points, key=lambda point: (point.classifier, point.n_components)),
        main,
    )


def build_evaluation(
    photographs: LabeledPhotographs,
    labels: Sequence[str],
    codes: NDArray[intp],
    probabilities: NDArray[float64],
    splits: Sequence[SplitScores],
    setup: EvaluationSetup,
    chosen: Chosen,
    *,
    left_out: list[str],
    n_rejected: int = 0,
    varieties: VarietyScores | None = None,
) -> Evaluation:
    """Return the record of an evaluation.

    Parameters
    ----------
    photographs : LabeledPhotographs
        All of the output, also of labels that are left out.
    labels : sequence of n_labels str
        Those that are tested.
    codes : ndarray of shape (n,)
        The column in ``labels`` of each photograph of the first split.
    probabilities : ndarray of shape (n, n_labels)
        Of the chosen setting.
    splits : sequence of SplitScores
        The first is the main one.
    setup, chosen, left_out, n_rejected, varieties
    """
    main = splits[0]
    names = np.asarray(labels)
    truth, predicted = names[codes], names[main.predictions.codes]
    bins, error = calibration(probabilities, codes)
    return Evaluation(
        model_id=setup.model_id,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        network_sha256=setup.facts.network_sha256,
        warning=setup.facts.warning,
        n_folds=None if main.scores[0].split == TEST else setup.n_folds,
        group_by=setup.group_by,
        n_photographs=len(photographs),
        n_objects=len(set(photographs.objects)),
        n_unlabeled=setup.n_unlabeled,
        n_sampled=setup.n_sampled,
        n_current=setup.n_current,
        n_tested=len(truth),
        n_test_rejected=n_rejected,
        n_copies=setup.n_copies,
        penalty=chosen.setting.penalty,
        n_neighbors=chosen.n_neighbors,
        chosen_by=chosen.split,
        labels=sorted(set(photographs.labels)),
        labels_left_out=left_out,
        scores=[score for each in splits for score in each.scores],
        by_label=label_scores(truth, predicted),
        confusions=confusions(truth, predicted),
        calibration=bins,
        calibration_error=error,
        curve=main.curve,
        varieties=varieties,
    )


def _score(
    fitted: FittedFolds,
    names: Labels,
    objects: Sequence[str],
    split: str,
    classifier: str,
    predictions: Predictions,
) -> Score:
    """Score predictions; ``names`` are of the labels, ``objects`` of all photographs."""
    truth, predicted = names[fitted.codes[predictions.rows]], names[predictions.codes]
    tested = [objects[row] for row in predictions.rows]
    accuracy, low, high = accuracy_interval(truth == predicted, tested)
    by_label = label_scores(truth, predicted)
    return Score(
        classifier=classifier,
        split=split,
        n_components=predictions.n_components,
        accuracy=accuracy,
        low=low,
        high=high,
        balanced_accuracy=balanced_accuracy(truth, predicted)[0],
        macro_f1=float(np.mean([each.f1 for each in by_label])),
    )
