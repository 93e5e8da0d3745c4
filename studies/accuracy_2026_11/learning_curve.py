"""Accuracy on phone photographs by how many there are of each fruit, with and without others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.classifier.ridge import fit_ridge
from recognition.evaluation.metrics import balanced_accuracy
from spark_assets.features.feature_model import FeatureModelFacts
from studies.accuracy_2026_11.features import Featurized
from studies.accuracy_2026_11.measured import N_FOLDS, evaluated_on
from studies.accuracy_2026_11.sets import Library, phones, turntable
from studies.accuracy_2026_11.steps import pairs_left_out

N_PER_LABEL = (5, 10, 20, 40, None)


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracies and balanced accuracies over the draws, on other shops and on clusters left out.

    ``n_per_label`` None: all photographs that are not left out.
    """

    n_per_label: int | None
    with_turntable: bool
    shops: list[tuple[float, float]]
    clusters: list[tuple[float, float]]


def learning_curve(
    library: Library,
    facts: FeatureModelFacts,
    n_per_label: Sequence[int | None] = N_PER_LABEL,
    n_draws: int = N_FOLDS,
) -> Iterator[Point]:
    """Yield the points of the curve, without the photographs of turntables and with them.

    Each draw is of the photographs outside another fold of clusters, and predicts that fold and
    the photographs of other shops.
    """
    split = phones(library)
    added = turntable(library).of_labels(set(split.train.labels))
    pairs = pairs_left_out(library)[:n_draws]
    for n in n_per_label:
        for extra in (None, added):
            found = []
            for seed, (rest, left_out) in enumerate(pairs):
                train = _drawn(rest, n, seed)
                train = train if extra is None else train + extra
                found.append(_scores(train, (split.test, left_out), facts))
            shops, clusters = zip(*found, strict=True)
            yield Point(n, extra is not None, list(shops), list(clusters))


def _drawn(photographs: Featurized, n_per_label: int | None, seed: int) -> Featurized:
    """Return so many photographs of each label, or all that it has."""
    if n_per_label is None:
        return photographs
    n_taken: dict[str, int] = {}
    rows = []
    for row in np.random.default_rng(seed).permutation(len(photographs)):
        label = photographs.labels[row]
        n_taken[label] = n_taken.get(label, 0) + 1
        if n_taken[label] <= n_per_label:
            rows.append(int(row))
    return photographs.take(sorted(rows))


def _scores(
    train: Featurized, tests: Sequence[Featurized], facts: FeatureModelFacts
) -> list[tuple[float, float]]:
    """Return accuracy and balanced accuracy on each test, of a setting chosen by folds."""
    vectors = train.for_training()
    setting = evaluated_on(vectors, tests[0].for_test(), facts).setting
    with threadpool_limits(1):
        fit = fit_ridge(vectors.vectors, vectors.labels)
    classifier = fit.classifier(setting)
    scores = []
    for test in tests:
        best = classifier.logits(test.views()).argmax(axis=1)
        predicted = np.asarray(classifier.labels)[best]
        accuracy = float(np.mean(predicted == np.asarray(test.labels)))
        scores.append((accuracy, balanced_accuracy(np.asarray(test.labels), predicted)[0]))
    return scores


HEADER = (
    "phone photographs of each fruit", "turntable added", "other shops: accuracy", "balanced",
    "clusters left out: accuracy", "balanced",
)  # fmt: skip


def row_of(point: Point) -> list[str]:
    """Return a row of the table: the mean, and between which the draws lie."""
    n = "all (13 to 230)" if point.n_per_label is None else f"at most {point.n_per_label}"
    cells = [
        _mean_and_range([scores[which] for scores in of_split])
        for of_split in (point.shops, point.clusters)
        for which in (0, 1)
    ]
    return [n, "yes" if point.with_turntable else "no", *cells]


def _mean_and_range(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"
