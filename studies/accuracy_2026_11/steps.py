"""How far each step from features to the label goes: length, root, mirror image, classifier."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.classifier.vectors import unit_rows, vectors_of
from recognition.evaluation.cluster_folds import clusters_of, folds_by_object
from recognition.evaluation.labeled_photographs import LabeledPhotographs
from recognition.evaluation.metrics import balanced_accuracy
from spark_assets.features.feature_model import FeatureModelFacts
from studies.accuracy_2026_11.features import Features, Featurized
from studies.accuracy_2026_11.measured import N_FOLDS, evaluated_on
from studies.accuracy_2026_11.sets import Library, phones

# As ``LogisticRegression(C=10, class_weight="balanced")``, the usual first choice.
_C = 10.0
_MAX_ITERATIONS = 1000

Prepare = Callable[[Featurized], Features]
PairOfSets = tuple[Featurized, Featurized]


@dataclass(frozen=True, slots=True)
class Step:
    """What training and test photographs are turned into."""

    name: str
    of_train: Prepare
    of_test: Prepare


def _raw(photographs: Featurized) -> Features:
    return photographs.plain


def _unit(photographs: Featurized) -> Features:
    return unit_rows(photographs.plain)


def _root(photographs: Featurized) -> Features:
    return vectors_of(photographs.plain)


STEPS = (
    Step("features", _raw, _raw),
    Step("of unit length", _unit, _unit),
    Step("square roots, of unit length", _root, _root),
    Step("the same, and the mirror image of what is asked about", _root, Featurized.views),
)


def ridge(step: Step, pair: PairOfSets, facts: FeatureModelFacts) -> float:
    """Return the balanced accuracy of the product's classifier."""
    train, test = (
        LabeledPhotographs(prepare(photographs), photographs.labels, photographs.objects)
        for prepare, photographs in zip((step.of_train, step.of_test), pair, strict=True)
    )
    return evaluated_on(train, test, facts).evaluation.main_score.balanced_accuracy


def logistic(step: Step, pair: PairOfSets) -> float:
    """Return the balanced accuracy of multinomial logistic regression."""
    train, test = pair
    classifier = LogisticRegression(C=_C, class_weight="balanced", max_iter=_MAX_ITERATIONS)
    with threadpool_limits(1):
        classifier.fit(step.of_train(train), train.labels)
        predicted = classifier.predict(step.of_test(test))
        return balanced_accuracy(np.asarray(test.labels), predicted)[0]


def pairs_left_out(library: Library) -> list[PairOfSets]:
    """Return pairs of training and test, each without a fold of clusters."""
    train = phones(library).train
    clusters = clusters_of(train.for_training().vectors, train.labels, N_FOLDS)
    folds = folds_by_object(train.labels, clusters, N_FOLDS)
    return [(train.take(fold.train), train.take(fold.test)) for fold in folds]


HEADER = (
    "alpha", "px", "vectors", "other shops: ridge", "logistic regression",
    "clusters left out: ridge", "logistic regression",
)  # fmt: skip


def rows_of(library: Library, facts: FeatureModelFacts) -> list[list[str]]:
    """Return balanced accuracies, for the folds their mean."""
    split = phones(library)
    sets = ([(split.train, split.test)], pairs_left_out(library))
    rows = []
    for step in STEPS:
        found = [
            (np.mean([ridge(step, pair, facts) for pair in pairs]),
             np.mean([logistic(step, pair) for pair in pairs]))
            for pairs in sets
        ]  # fmt: skip
        cells = [f"{figure:.3f}" for both in found for figure in both]
        rows.append([str(facts.alpha), str(facts.image_size_px), step.name, *cells])
    return rows
