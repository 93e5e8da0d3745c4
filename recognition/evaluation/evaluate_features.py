"""The evaluation of features, by folds or on a test set, and the setting that it chooses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recognition.classifier.fit_classifier import HeldOut, Setting
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
from recognition.evaluation.metrics import temperature_of, tempered_probabilities
from recognition.evaluation.variety_scores import VarietyPredictions
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import CLUSTERS, OBJECTS, PHOTOGRAPHS, TEST

# Numbers of components that are compared, beside as many as the PCA keeps, and all features.
_COMPONENTS = (10, 20, 50, 100, 200)


def evaluate_by_folds(photographs: LabeledPhotographs, setup: EvaluationSetup) -> Evaluated:
    """Leave groups out, and beside it single photographs, which shows how much those flatter.

    The groups are objects where they are named, and else clusters of similar photographs.

    Raises FruitsError where there are fewer than two labels, or too few photographs for the folds.
    """
    left_out = [] if setup.group_by is None else _left_out(photographs)
    rows = [row for row, label in enumerate(photographs.labels) if label not in left_out]
    tested = photographs.take(rows)
    if len(set(tested.labels)) < 2:
        raise _too_few_labels(tested, left_out)
    grouped = _grouped(tested, setup)
    main = _fitted(grouped, folds_by_object(grouped.labels, grouped.objects, setup.n_folds))
    chosen, held_out = _choose(main, setup)
    by_photograph = _fitted(tested, folds_by_photograph(tested.labels, setup.n_folds))
    scores = [
        _scores(main, _main_split(setup), grouped, setup, chosen),
        split_scores(by_photograph, PHOTOGRAPHS, tested, chosen, (setup.components,), curve=()),
    ]
    labels, _ = tested.coded()
    codes = main.codes[main.rows]
    # Each fold at the temperature of the others: none is judged by what it was set with.
    shares = tempered_probabilities(main.by_fold(held_out.logits), codes)
    varieties, temperature = None, None
    if setup.variety_regex is not None:
        found = VarietyPredictions.of(grouped, main.folds, chosen.setting)
        predicted = np.asarray(labels)[shares.argmax(axis=1)]
        temperature = found.temperature(predicted)
        varieties = found.scores(labels, shares, found.of_others(predicted), setup.variety_regex)
    evaluation = build_evaluation(
        photographs,
        labels,
        codes,
        shares,
        scores,
        setup,
        chosen,
        left_out=left_out,
        varieties=varieties,
    )
    held_out = _for_all_labels(held_out, labels, photographs)
    return Evaluated(evaluation, chosen.setting, held_out, temperature)


def evaluate_on_others(
    photographs: LabeledPhotographs,
    others: LabeledPhotographs,
    setup: EvaluationSetup,
    *,
    n_rejected: int,
) -> Evaluated:
    """Fit on all photographs and predict others, with what the folds of the first have chosen.

    Raises FruitsError as `evaluate_by_folds`, and where none of the others has a label of the
    first.
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
    grouped = _grouped(photographs, setup)
    folds = folds_by_object(grouped.labels, grouped.objects, setup.n_folds)
    chosen, held_out = _choose(_fitted(photographs, folds), setup)
    test = others.take(rows)
    both = LabeledPhotographs(
        np.concatenate([photographs.vectors, test.vectors]),
        photographs.labels + test.labels,
        photographs.objects + test.objects,
        photographs.varieties + test.varieties,
    )
    n = len(photographs)
    fitted = _fitted(both, [Fold(np.arange(n), np.arange(n, len(both)))])
    labels, _ = both.coded()
    codes = fitted.codes[fitted.rows]
    shares = tempered_probabilities(
        fitted.logits(chosen.setting), codes, temperature=held_out.temperature
    )
    varieties, temperature = None, None
    if setup.variety_regex is not None:
        seen = VarietyPredictions.of(photographs, folds, chosen.setting)
        temperature = seen.temperature(np.asarray(labels)[held_out.logits.argmax(axis=1)])
        found = VarietyPredictions.of(both, fitted.folds, chosen.setting)
        temperatures = np.full(len(test), temperature)
        varieties = found.scores(labels, shares, temperatures, setup.variety_regex)
    evaluation = build_evaluation(
        photographs,
        labels,
        codes,
        shares,
        [_scores(fitted, TEST, both, setup, chosen)],
        setup,
        chosen,
        left_out=sorted({label for label in others.labels if label not in known}),
        n_rejected=n_rejected,
        varieties=varieties,
    )
    return Evaluated(evaluation, chosen.setting, held_out, temperature)


def _choose(fitted: FittedFolds, setup: EvaluationSetup) -> tuple[Chosen, HeldOut]:
    """Choose a setting by folds, and return what they tell of photographs that it has not seen."""
    components = dict.fromkeys((*_COMPONENTS, setup.components, None))
    settings = [Setting(penalty, each) for each in components for penalty in PENALTIES]
    setting = choose_ridge(fitted.ridge(settings), fitted.codes)
    n_neighbors = choose_neighbors(fitted.nearest(setup.components), fitted.codes)
    logits = fitted.logits(setting)
    temperature = temperature_of(logits, fitted.codes[fitted.rows])
    held_out = HeldOut(np.concatenate(logits), fitted.distances(), temperature)
    return Chosen(setting, n_neighbors, _main_split(setup)), held_out


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


def _main_split(setup: EvaluationSetup) -> str:
    return CLUSTERS if setup.group_by is None else OBJECTS


def _grouped(photographs: LabeledPhotographs, setup: EvaluationSetup) -> LabeledPhotographs:
    """Return photographs with the groups that folds leave out as their objects."""
    if setup.group_by is not None:
        return photographs
    clusters = clusters_of(photographs.vectors, photographs.labels, setup.n_folds)
    return replace(photographs, objects=clusters)


def _for_all_labels(
    held_out: HeldOut, labels: Sequence[str], photographs: LabeledPhotographs
) -> HeldOut:
    """Return logits with a column for the labels that were left out too."""
    everything, _ = photographs.coded()
    logits = np.full((len(held_out.logits), len(everything)), -np.inf)
    logits[:, np.searchsorted(everything, labels)] = held_out.logits
    return HeldOut(logits, held_out.distances, held_out.temperature)


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
