"""The evaluation of features, by folds or on a test set, and the setting that it chooses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recognition.classifier.fit_classifier import HeldOut
from recognition.classifier.ridge import Setting
from recognition.classifier.temperature import (
    cross_fitted_temperatures,
    finite,
    fit_temperature,
    softmax,
)
from recognition.evaluation.build_evaluation import (
    Chosen,
    Evaluated,
    SplitScores,
    build_evaluation,
    split_scores,
)
from recognition.evaluation.choose_setting import choose_neighbors, choose_ridge
from recognition.evaluation.cluster_folds import (
    Fold,
    clusters_of,
    folds_by_object,
    folds_by_photograph,
    labels_with_one_object,
)
from recognition.evaluation.fold_predictions import PENALTIES, FittedFolds
from recognition.evaluation.labeled_photographs import EvaluationSetup, LabeledPhotographs
from recognition.evaluation.variety_scores import VarietyPredictions
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import CLUSTERS, OBJECTS, PHOTOGRAPHS, TEST

# Numbers of components that are compared, beside as many as the PCA keeps, and all features.
_COMPONENTS = (10, 20, 50, 100, 200)


def evaluate_by_folds(photographs: LabeledPhotographs, setup: EvaluationSetup) -> Evaluated:
    """Evaluate by cross-validation that leaves groups out, and single photographs for comparison.

    The groups are the objects of ``--group-by``, or else clusters of similar photographs.

    Raises FruitsError where there are fewer than two labels, or too few photographs for the folds.
    """
    left_out: list[str] = []
    if setup.group_by is not None:
        left_out = labels_with_one_object(photographs.labels, photographs.objects)
    rows = [row for row, label in enumerate(photographs.labels) if label not in left_out]
    tested = photographs.take(rows)
    if len(set(tested.labels)) < 2:
        raise _too_few_labels(tested, left_out)
    grouped = _grouped(tested, setup)
    main = _fitted(grouped, folds_by_object(grouped.labels, grouped.objects, setup.n_folds))
    chosen, held_out = _choose(main, setup)
    by_photograph = _fitted(tested, folds_by_photograph(tested.labels, setup.n_folds))
    scores = [
        _scores(main, chosen.split, grouped, setup, chosen),
        split_scores(by_photograph, PHOTOGRAPHS, tested, chosen, (setup.components,), curve=()),
    ]
    labels, _ = tested.coded()
    codes = main.codes[main.rows]
    logits = finite(held_out.logits)
    temperatures = cross_fitted_temperatures(main.by_fold(logits), main.by_fold(codes))
    of_row = np.repeat(temperatures, [len(fold.test) for fold in main.folds])
    probabilities = softmax(logits / of_row[:, np.newaxis])
    varieties, variety_temperature = None, None
    if setup.variety_regex is not None:
        found = VarietyPredictions.of(grouped, main.folds, chosen.setting)
        predicted = np.asarray(labels)[probabilities.argmax(axis=1)]
        variety_temperature = found.temperature(predicted)
        varieties = found.scores(
            labels,
            probabilities,
            found.cross_fitted_temperatures(predicted),
            setup.variety_regex,
        )
    evaluation = build_evaluation(
        photographs,
        labels,
        codes,
        probabilities,
        scores,
        setup,
        chosen,
        left_out=left_out,
        varieties=varieties,
    )
    held_out = _for_all_labels(held_out, labels, photographs)
    return Evaluated(evaluation, chosen.setting, held_out, variety_temperature)


def evaluate_on_test_set(
    photographs: LabeledPhotographs,
    test_set: LabeledPhotographs,
    setup: EvaluationSetup,
    *,
    n_rejected: int,
) -> Evaluated:
    """Fit on all photographs and predict a test set, with the setting that folds have chosen.

    Raises FruitsError as `evaluate_by_folds`, and where the test set has none of the labels.
    """
    known = set(photographs.labels)
    rows = [row for row, label in enumerate(test_set.labels) if label in known]
    if len(known) < 2:
        raise _too_few_labels(photographs, [])
    if not rows:
        raise FruitsError(
            f"none of the {len(test_set)} test photographs has one of the {len(known)} labels of "
            "the output; give --test-images a folder with the same folders in it"
        )
    grouped = _grouped(photographs, setup)
    folds = folds_by_object(grouped.labels, grouped.objects, setup.n_folds)
    chosen, held_out = _choose(_fitted(photographs, folds), setup)
    tested = test_set.take(rows)
    both = LabeledPhotographs(
        np.concatenate([photographs.vectors, tested.vectors]),
        photographs.labels + tested.labels,
        photographs.objects + tested.objects,
        photographs.varieties + tested.varieties,
    )
    n = len(photographs)
    fitted = _fitted(both, [Fold(np.arange(n), np.arange(n, len(both)))])
    labels, _ = both.coded()
    (logits,) = fitted.logits(chosen.setting)
    probabilities = softmax(finite(logits) / held_out.temperature)
    varieties, variety_temperature = None, None
    if setup.variety_regex is not None:
        by_folds = VarietyPredictions.of(photographs, folds, chosen.setting)
        predicted = np.asarray(labels)[held_out.logits.argmax(axis=1)]
        variety_temperature = by_folds.temperature(predicted)
        found = VarietyPredictions.of(both, fitted.folds, chosen.setting)
        temperatures = np.full(len(tested), variety_temperature)
        varieties = found.scores(labels, probabilities, temperatures, setup.variety_regex)
    evaluation = build_evaluation(
        photographs,
        labels,
        fitted.codes[fitted.rows],
        probabilities,
        [_scores(fitted, TEST, both, setup, chosen)],
        setup,
        chosen,
        left_out=sorted(set(test_set.labels) - known),
        n_rejected=n_rejected,
        varieties=varieties,
    )
    return Evaluated(evaluation, chosen.setting, held_out, variety_temperature)


def _choose(fitted: FittedFolds, setup: EvaluationSetup) -> tuple[Chosen, HeldOut]:
    """Choose a setting by folds, and return its out-of-fold results."""
    components = dict.fromkeys((*_COMPONENTS, setup.components, None))
    settings = [Setting(penalty, each) for each in components for penalty in PENALTIES]
    setting = choose_ridge(fitted.ridge(settings), fitted.codes)
    n_neighbors = choose_neighbors(fitted.nearest(setup.components), fitted.codes)
    logits = np.concatenate(fitted.logits(setting))
    temperature = fit_temperature(logits, fitted.codes[fitted.rows])
    split = CLUSTERS if setup.group_by is None else OBJECTS
    return Chosen(setting, n_neighbors, split), HeldOut(logits, fitted.distances(), temperature)


def _scores(
    fitted: FittedFolds,
    split: str,
    tested: LabeledPhotographs,
    setup: EvaluationSetup,
    chosen: Chosen,
) -> SplitScores:
    curve = (*_COMPONENTS, setup.components)
    return split_scores(fitted, split, tested, chosen, (setup.components, None), curve=curve)


def _fitted(photographs: LabeledPhotographs, folds: Sequence[Fold]) -> FittedFolds:
    return FittedFolds.of(photographs.vectors, photographs.coded()[1], folds)


def _grouped(photographs: LabeledPhotographs, setup: EvaluationSetup) -> LabeledPhotographs:
    """Return photographs whose objects are the groups that folds leave out."""
    if setup.group_by is not None:
        return photographs
    clusters = clusters_of(photographs.vectors, photographs.labels, setup.n_folds)
    return replace(photographs, objects=clusters)


def _for_all_labels(
    held_out: HeldOut, labels: Sequence[str], photographs: LabeledPhotographs
) -> HeldOut:
    """Return logits with a column also for the labels that were left out."""
    everything, _ = photographs.coded()
    logits = np.full((len(held_out.logits), len(everything)), -np.inf)
    logits[:, np.searchsorted(everything, labels)] = held_out.logits
    return HeldOut(logits, held_out.distances, held_out.temperature)


def _too_few_labels(photographs: LabeledPhotographs, left_out: Sequence[str]) -> FruitsError:
    n = len(set(photographs.labels))
    excluded = f" without the {len(left_out)} with a single object" if left_out else ""
    return FruitsError(
        f"an evaluation needs photographs of at least 2 labels, got {n}{excluded}; sort the "
        "photographs in folders named after the fruit, give --label-level, or give another "
        "--group-by"
    )
