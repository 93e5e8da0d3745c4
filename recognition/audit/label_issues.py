"""Label issues (labels that are probably wrong), by confident learning.

Source: C. G. Northcutt, L. Jiang, I. L. Chuang, Confident learning: estimating uncertainty in
dataset labels, JAIR 70, 2021, doi:10.1613/jair.1.12125; cleanlab, its authors' library, finds the
candidates and scores them.

The out-of-fold probability is the geometric mean of two classifiers, logistic regression and the
nearest neighbours, which know the other photographs of an object: a label that one of them finds
plausible is no issue.  It is computed twice: the issues of the first round would mislead the
classifiers about similar photographs, and are left out of the second round's training.
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
# A label is an issue where another one is more probable and its own probability is at most this.
MAX_PROBABILITY = 0.02
# Below this accuracy the classifier is more often wrong than the labels are.  With objects left
# out, of 43 kinds of apple, cherry and tomato, it was 0.81, and every ninth label a false issue.
MIN_AGREEMENT, MIN_AGREEMENT_OBJECTS = 0.7, 0.85
_INVERSE_PENALTY = 100.0
_N_NEIGHBOURS = 7
# Cosines of neighbours are all near 1: this power weighs the nearest more than the others.
_NEARNESS_POWER = 20
# A probability of 0 by one classifier would overrule the other.
_LEAST = 1e-3
_ROWS_AT_A_TIME = 512
_SEED = 0

Probabilities = NDArray[float64]


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """A label issue: the row, the suggested label, and both probabilities."""

    row: int
    suggestion: str
    p_label: float
    p_suggestion: float


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """The audit of labels.

    Attributes
    ----------
    issues : list of LabelIssue
        The least probable label first.
    n_judged : int
        Labels that were judged: of photographs that are not left out, and of at least five.
    agreement : float or None
        The out-of-fold accuracy.
    reason : str or None
        Why no label is judged.
    """

    issues: list[LabelIssue]
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
    """Return the label issues.

    Parameters
    ----------
    features : ndarray of shape (n, n_dimensions)
        Of unit length.
    labels : sequence of n str or None
    groups : sequence of n str or None, optional
        The object on each photograph, None for another one: all of one object are in the same fold,
        so that a label is judged by other objects only.
    left_out : collection of int
        Rows that are neither judged nor in training, such as defective photographs.
    """
    of_row = {n: label for n, label in enumerate(labels) if label is not None and n not in left_out}
    counts = Counter(of_row.values())
    judged = np.array([n for n, label in of_row.items() if counts[label] >= N_FOLDS], intp)
    names, codes = np.unique([of_row[n] for n in judged], return_inverse=True)
    if len(names) < MIN_LABELS:
        why = f"fewer than {MIN_LABELS} labels have {N_FOLDS} photographs or more"
        return LabelAudit([], len(judged), None, why)
    objects = None if groups is None else _numbered([groups[n] for n in judged])
    vectors = features[judged]
    first = _out_of_fold(vectors, codes, objects, np.zeros(len(codes), bool_))
    second = _out_of_fold(vectors, codes, objects, _candidates(codes, first))
    agreement = float(np.mean(second.argmax(axis=1) == codes))
    threshold = MIN_AGREEMENT if groups is None else MIN_AGREEMENT_OBJECTS
    if agreement < threshold:
        why = (
            f"the out-of-fold accuracy is {agreement:.0%} (threshold {threshold:.0%}), so that the "
            "classifier is more often wrong than the labels are"
        )
        return LabelAudit([], len(judged), agreement, why)
    return LabelAudit(_issues(judged, names, codes, second), len(judged), agreement)


def _candidates(codes: NDArray[intp], probabilities: Probabilities) -> NDArray[bool_]:
    """Return which labels are not the most probable ones."""
    from cleanlab.filter import find_label_issues  # 1 s, of an audit alone

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that are never predicted
        found: NDArray[bool_] = find_label_issues(
            codes, probabilities, filter_by="predicted_neq_given", n_jobs=1
        )
    return found


def _issues(
    judged: NDArray[intp],
    names: NDArray[np.str_],
    codes: NDArray[intp],
    probabilities: Probabilities,
) -> list[LabelIssue]:
    from cleanlab.rank import get_label_quality_scores

    p_label = get_label_quality_scores(codes, probabilities, method="self_confidence")
    chosen = np.flatnonzero(_candidates(codes, probabilities) & (p_label <= MAX_PROBABILITY))
    best = probabilities.argmax(axis=1)
    return [
        LabelIssue(
            int(judged[n]),
            str(names[best[n]]),
            float(p_label[n]),
            float(probabilities[n, best[n]]),
        )
        for n in chosen[np.argsort(p_label[chosen], kind="stable")]
    ]


def _out_of_fold(
    features: NDArray[float32],
    codes: NDArray[intp],
    objects: NDArray[intp] | None,
    left_out: NDArray[bool_],
) -> Probabilities:
    """Return out-of-fold probabilities, (n, n_labels), with ``left_out`` rows out of training."""
    probabilities = np.zeros((len(codes), codes.max() + 1))
    splitter = StratifiedKFold if objects is None else StratifiedGroupKFold
    folds = splitter(N_FOLDS, shuffle=True, random_state=_SEED)
    for train, test in folds.split(features, codes, objects):
        train = train[~left_out[train]]
        present = np.unique(codes[train])
        if len(present) < MIN_LABELS:  # all other labels are issues, or of one object
            probabilities[np.ix_(test, present)] = 1
            continue
        seen, unseen = features[train], features[test]
        general = _logistic(seen, codes[train], unseen) + _LEAST
        near = _neighbours(seen, np.searchsorted(present, codes[train]), unseen) + _LEAST
        both = np.sqrt(general * near)
        probabilities[np.ix_(test, present)] = both / both.sum(axis=1, keepdims=True)
    return probabilities


def _logistic(
    seen: NDArray[float32], labels: NDArray[intp], unseen: NDArray[float32]
) -> Probabilities:
    """Return the probability of each label that is seen, (n_unseen, n_labels)."""
    classifier = LogisticRegression(C=_INVERSE_PENALTY, max_iter=500)
    with warnings.catch_warnings():
        # Further steps than 500 moved no probability across the threshold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(seen, labels)
    probabilities: Probabilities = classifier.predict_proba(unseen)
    return probabilities


def _neighbours(
    seen: NDArray[float32], labels: NDArray[intp], unseen: NDArray[float32]
) -> Probabilities:
    """Return the share of each label among the nearest neighbours, weighted by similarity."""
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
    """Return a number for each object, another one for every None."""
    known: dict[object, int] = {}
    keys = ((n, None) if group is None else group for n, group in enumerate(groups))
    return np.array([known.setdefault(key, len(known)) for key in keys], intp)
