"""Labels that are probably wrong: those that a classifier which never saw the photograph denies.

Confident learning (C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident learning: estimating
uncertainty in dataset labels", JAIR 70, 2021, doi:10.1613/jair.1.12125) asks for the probability of
each label out of fold; cleanlab, its authors' library, finds the candidates and scores them here.

Two classifiers are asked: logistic regression, which knows what a label looks like in general, and
the nearest neighbours, which know the other photographs of an object.  Where one of them finds the
label plausible, it is not doubted: their geometric mean counts.

The probabilities are made twice.  A wrong label misleads the classifier about the others that it
resembles, so those that the first go doubts are left out of what the second one learns from.
"""

import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import bool_, float32, float64, intp
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

N_FOLDS = 5
MIN_LABELS = 2
# A label is doubted where another one is likelier and it has at most this probability itself.
MAX_PROBABILITY = 0.02
# Where the classifier agrees with fewer labels, it is more often wrong than they are.  Of objects
# that it has never seen it knows less: of 43 kinds of apple, cherry and tomato it named 81 %, and
# doubted every ninth label, all of them right.
MIN_AGREEMENT, MIN_AGREEMENT_OBJECTS = 0.7, 0.85
_INVERSE_PENALTY = 100.0
_N_NEIGHBOURS = 7
# Cosines of neighbours are all near 1: to this power they tell the nearest from the others.
_NEARNESS_POWER = 20
# What a classifier thinks impossible, the other one may still bring up.
_LEAST = 1e-3
_ROWS_AT_A_TIME = 512
_SEED = 0

Probabilities = NDArray[float64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label that is probably wrong: the row, the likelier label, and both probabilities."""

    row: int
    suggestion: str
    p_label: float
    p_suggestion: float


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """What was found of labels.

    ``n_judged`` photographs were looked at: not those without a label, or of a label with fewer
    than five photographs.  ``agreement`` is the share whose label the classifier names out of fold,
    None where nothing could be judged; ``reason`` says why there are no doubts where none are told.
    """

    doubts: list[Doubt]
    n_judged: int
    agreement: float | None
    reason: str | None = None


def audit_labels(
    features: NDArray[float32],
    labels: Sequence[str | None],
    groups: Sequence[str | None] | None = None,
    *,
    left_out: Collection[int] = (),
) -> LabelAudit:
    """Return the labels that are probably wrong, the most doubtful first.

    ``features`` is (n, n_dimensions), of unit length.  Rows that are ``left_out`` teach nothing and
    are not judged: what a photograph shows too little of says nothing about its label.  ``groups``
    names the object on each photograph: all of one are in the same fold, so that a label is judged
    by other objects only; None is an object of its own.
    """
    of_row = {n: label for n, label in enumerate(labels) if label is not None and n not in left_out}
    counts = Counter(of_row.values())
    judged = np.array([n for n, label in of_row.items() if counts[label] >= N_FOLDS], intp)
    names, given = np.unique([of_row[n] for n in judged], return_inverse=True)
    if len(names) < MIN_LABELS:
        why = f"fewer than {MIN_LABELS} labels have {N_FOLDS} photographs or more"
        return LabelAudit([], len(judged), None, why)
    objects = None if groups is None else _numbered([groups[n] for n in judged])
    reduced = features[judged]
    first = _out_of_fold(reduced, given, objects, np.zeros(len(given), bool_))
    second = _out_of_fold(reduced, given, objects, _candidates(given, first))
    agreement = float(np.mean(second.argmax(axis=1) == given))
    least = MIN_AGREEMENT if groups is None else MIN_AGREEMENT_OBJECTS
    if agreement < least:
        why = (
            f"a classifier that has not seen the photographs names the label of {agreement:.0%} "
            f"only, and below {least:.0%} it is more often wrong than the labels are"
        )
        return LabelAudit([], len(judged), agreement, why)
    return LabelAudit(_doubts(judged, names, given, second), len(judged), agreement)


def _candidates(given: NDArray[intp], probabilities: Probabilities) -> NDArray[bool_]:
    """Return which labels are not the likeliest ones."""
    from cleanlab.filter import find_label_issues  # a second that only an audit takes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cleanlab warns of labels that nothing is predicted for
        found: NDArray[bool_] = find_label_issues(
            given, probabilities, filter_by="predicted_neq_given", n_jobs=1
        )
    return found


def _doubts(
    judged: NDArray[intp],
    names: NDArray[np.str_],
    given: NDArray[intp],
    probabilities: Probabilities,
) -> list[Doubt]:
    from cleanlab.rank import get_label_quality_scores

    p_label = get_label_quality_scores(given, probabilities, method="self_confidence")
    doubted = np.flatnonzero(_candidates(given, probabilities) & (p_label <= MAX_PROBABILITY))
    likeliest = probabilities.argmax(axis=1)
    return [
        Doubt(
            int(judged[n]),
            str(names[likeliest[n]]),
            float(p_label[n]),
            float(probabilities[n, likeliest[n]]),
        )
        for n in doubted[np.argsort(p_label[doubted], kind="stable")]
    ]


def _out_of_fold(
    features: NDArray[float32],
    given: NDArray[intp],
    objects: NDArray[intp] | None,
    left_out: NDArray[bool_],
) -> Probabilities:
    """Return the probability of each label, (n, n_labels), by what has not seen the row.

    Rows that are ``left_out`` teach nothing and are judged like the others.
    """
    probabilities = np.zeros((len(given), given.max() + 1))
    splitter = StratifiedKFold if objects is None else StratifiedGroupKFold
    folds = splitter(N_FOLDS, shuffle=True, random_state=_SEED)
    for taught, judged in folds.split(features, given, objects):
        taught = taught[~left_out[taught]]
        present = np.unique(given[taught])
        if len(present) < MIN_LABELS:  # every other label was doubted, or is of one object
            probabilities[np.ix_(judged, present)] = 1
            continue
        seen, unseen = features[taught], features[judged]
        general = _logistic(seen, given[taught], unseen) + _LEAST
        near = _neighbours(seen, np.searchsorted(present, given[taught]), unseen) + _LEAST
        both = np.sqrt(general * near)
        probabilities[np.ix_(judged, present)] = both / both.sum(axis=1, keepdims=True)
    return probabilities


def _logistic(
    seen: NDArray[float32], labels: NDArray[intp], unseen: NDArray[float32]
) -> Probabilities:
    """Return the probability of each label that is seen, (n_unseen, n_labels)."""
    classifier = LogisticRegression(C=_INVERSE_PENALTY, max_iter=500)
    with warnings.catch_warnings():
        # What is left to gain after 500 steps moves no probability across the threshold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(seen, labels)
    probabilities: Probabilities = classifier.predict_proba(unseen)
    return probabilities


def _neighbours(
    seen: NDArray[float32], labels: NDArray[intp], unseen: NDArray[float32]
) -> Probabilities:
    """Return the share of each label among the nearest that are seen, by how near they are."""
    n_nearest = min(_N_NEIGHBOURS, len(seen))
    votes = np.zeros((len(unseen), labels.max() + 1))
    for start in range(0, len(unseen), _ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + _ROWS_AT_A_TIME, len(unseen)))
        cosine = unseen[rows] @ seen.T
        nearest = np.argpartition(-cosine, n_nearest - 1, axis=1)[:, :n_nearest]
        near = np.maximum(np.take_along_axis(cosine, nearest, axis=1), 1e-3).astype(float64)
        for rank in range(n_nearest):
            votes[rows, labels[nearest[:, rank]]] += near[:, rank] ** _NEARNESS_POWER
    shares: Probabilities = votes / votes.sum(axis=1, keepdims=True)
    return shares


def _numbered(groups: Sequence[str | None]) -> NDArray[intp]:
    """Return a number for each object; every None is one of its own."""
    known: dict[object, int] = {}
    keys = ((n, None) if group is None else group for n, group in enumerate(groups))
    return np.array([known.setdefault(key, len(known)) for key in keys], intp)
