"""What is called unknown: the product's score beside the cosine to the nearest reference."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy import float64
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from recognition.classifier.fit_classifier import MAX_REFERENCE
from recognition.classifier.reference_set import evenly_by_label
from recognition.classifier.unknown_detector import unknown_threshold
from recognition.classifier.vectors import unit_rows
from recognition.evaluation.cluster_folds import clusters_of, folds_by_object
from spark_assets.features.feature_model import FeatureModelFacts
from studies.accuracy_2026_11.features import Featurized
from studies.accuracy_2026_11.measured import FALSE_UNKNOWN_RATE, N_FOLDS, Measured, measure
from studies.accuracy_2026_11.sets import CROPS, DRAWN, Library, Split, phones
from studies.accuracy_2026_11.table import percent

VIM, COSINE = "virtual-logit matching", "cosine to the nearest reference"
VEGETABLES, PACKAGES, LEFT_OUT = "vegetables", "packages", "a fruit left out"
KNOWN = "known fruit"
# Each takes a whole evaluation: every fourth label of the phone photographs.
_LEFT_OUT_STEP = 4

# How much photographs are like known fruit, (n,).
Score = Callable[[Featurized], NDArray[float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A score of unknown, and the threshold that groups left out of the training give it."""

    name: str
    score: Score
    threshold: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Photographs that were asked about: the share called unknown, and AUROC against known fruit.

    ``auroc`` is None for known fruit itself.
    """

    share: float
    auroc: float | None


def scorers(measured: Measured) -> list[Scorer]:
    """Return both scores of a classifier's training."""
    vim = Scorer(VIM, measured.known_scores, measured.classifier.unknown_detector.threshold)
    return [vim, _cosine_scorer(measured.split.train)]


def refused(
    scorer: Scorer, known: Featurized, unknown: dict[str, Featurized]
) -> dict[str, Refused]:
    """Return what is called unknown of known fruit, and of each set of unknown photographs."""
    of_known = scorer.score(known)
    found = {KNOWN: Refused(float(np.mean(of_known < scorer.threshold)), None)}
    for name, photographs in unknown.items():
        scores = scorer.score(photographs)
        truth = np.repeat([1, 0], [len(of_known), len(scores)])
        auroc = float(roc_auc_score(truth, np.concatenate([of_known, scores])))
        found[name] = Refused(float(np.mean(scores < scorer.threshold)), auroc)
    return found


def unknown_sets(library: Library) -> dict[str, Featurized]:
    """Return photographs without known fruit: of the same shops, drawn, and crops."""
    others = library["grocery/Other"]
    found = {
        VEGETABLES: others.of_labels({"Vegetables"}),
        PACKAGES: others.of_labels({"Packages"}),
    }
    return found | {name: library[name] for name in (CROPS, DRAWN) if name in library}


def refused_on_phones(
    measured: Measured, library: Library, facts: FeatureModelFacts
) -> dict[str, dict[str, Refused]]:
    """Return by score what a classifier of phone photographs calls unknown."""
    sets = unknown_sets(library)
    found = {each.name: refused(each, measured.split.test, sets) for each in scorers(measured)}
    without = [left_out(library, label, facts) for label in _labels_to_leave_out(library)]
    for name, rows in found.items():
        of_name = [each[name] for each in without]
        aurocs = [each.auroc for each in of_name if each.auroc is not None]
        share = float(np.mean([each.share for each in of_name]))
        rows[LEFT_OUT] = Refused(share, float(np.mean(aurocs)))
    return found


def _labels_to_leave_out(library: Library) -> list[str]:
    return sorted(set(library["grocery/Training"].labels))[::_LEFT_OUT_STEP]


def left_out(library: Library, label: str, facts: FeatureModelFacts) -> dict[str, Refused]:
    """Return by score what a classifier without a label calls unknown of its photographs."""
    split = phones(library)
    others = set(split.train.labels) - {label}
    known = split.test.of_labels(others)
    without = measure(Split(label, split.train.of_labels(others), known), facts)
    new = (split.train + split.test).of_labels({label})
    return {each.name: refused(each, known, {LEFT_OUT: new})[LEFT_OUT] for each in scorers(without)}


def _cosine_scorer(train: Featurized) -> Scorer:
    """Return the cosine of features, with the folds that the product's threshold is from."""
    vectors = train.for_training().vectors
    clusters = clusters_of(vectors, train.labels, N_FOLDS)
    held_out = [
        _nearest(train.take(fold.train), train.take(fold.test))
        for fold in folds_by_object(train.labels, clusters, N_FOLDS)
    ]
    threshold = unknown_threshold(np.concatenate(held_out), FALSE_UNKNOWN_RATE)
    return Scorer(COSINE, partial(_nearest, train), threshold)


def _nearest(train: Featurized, new: Featurized) -> NDArray[float64]:
    rows = evenly_by_label(train.paths, train.labels, MAX_REFERENCE)
    cosines = unit_rows(new.plain) @ unit_rows(train.plain[rows]).T
    nearest: NDArray[float64] = cosines.max(axis=1).astype(float64)
    return nearest


HEADER = ("alpha", "px", "score", KNOWN, VEGETABLES, PACKAGES, LEFT_OUT, CROPS, DRAWN)


def rows_of(found: dict[str, dict[str, Refused]], facts: FeatureModelFacts) -> list[Sequence[str]]:
    """Return the rows of the table: the share that is refused, and the AUROC in brackets."""
    return [
        (str(facts.alpha), str(facts.image_size_px), name, *map(_cell, _in_order(shares)))
        for name, shares in found.items()
    ]


def _in_order(shares: dict[str, Refused]) -> list[Refused]:
    return [shares[name] for name in HEADER[3:]]


def _cell(one: Refused) -> str:
    return percent(one.share) + ("" if one.auroc is None else f" ({one.auroc:.3f})")
