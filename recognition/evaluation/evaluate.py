"""The evaluation of features: of labeled photographs by folds, or of others by a fitted PCA."""

from collections.abc import Sequence

import numpy as np

from recognition.evaluation.folds import (
    Fold,
    folds_by_object,
    folds_by_photograph,
    labels_with_one_object,
)
from recognition.evaluation.labeled import Asking, LabeledPhotographs
from recognition.evaluation.prediction import Asked, ClassifierName, Predictions, predict_folds
from recognition.evaluation.record import Evaluated, evaluated_of
from recognition.evaluation.scores import temperature_of
from recognition.evaluation.spaces import ALL_FEATURES, Space
from spark_assets.errors import FruitsError

# Of components, or of the variance that they hold: where the accuracy along them is looked at.
_CURVE = (2, 0.5, 0.8, 0.9, 0.95, 0.99)


def evaluate_by_folds(photographs: LabeledPhotographs, asking: Asking) -> Evaluated:
    """Leave objects out, and beside it photographs, so that one sees how much the latter flatters.

    Raises FruitsError where there are fewer than two labels, or too few photographs for the folds.
    """
    left_out = [] if asking.group_by is None else _left_out(photographs)
    rows = [row for row, label in enumerate(photographs.labels) if label not in left_out]
    asked_about = photographs.take(rows)
    if len(set(asked_about.labels)) < 2:
        raise _too_few_labels(asked_about, left_out)
    splits = {} if asking.group_by is None else {"objects": _folds(asked_about, asking)}
    splits["photographs"] = folds_by_photograph(asked_about.labels, asking.n_folds)
    answers = {
        split: _answers(asked_about, folds, asking, split) for split, folds in splits.items()
    }
    return evaluated_of(photographs, asked_about, answers, asking, left_out=left_out)


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
    return evaluated_of(
        photographs,
        both,
        answers,
        asking,
        left_out=left_out,
        temperature=temperature,
        n_rejected=n_rejected,
    )


def _temperature_by_folds(photographs: LabeledPhotographs, asking: Asking) -> float:
    labels, folds = photographs.labels, _folds(photographs, asking)
    asked = (ClassifierName.LOGISTIC, Space(asking.components))
    answers = predict_folds(photographs.features, labels, folds, [asked])[asked]
    truth = np.asarray(labels)[answers.all_rows]
    return temperature_of(answers, np.searchsorted(sorted(set(labels)), truth))


def _folds(photographs: LabeledPhotographs, asking: Asking) -> list[Fold]:
    """Return the folds to go by: of objects, where they are named."""
    if asking.group_by is None:
        return folds_by_photograph(photographs.labels, asking.n_folds)
    return folds_by_object(photographs.labels, photographs.objects, asking.n_folds)


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
    spaces = {kept, ALL_FEATURES, *(map(Space, _CURVE) if has_curve else ())}
    ordered = sorted(spaces, key=lambda space: str(space.components))
    asked = [(classifier, space) for classifier in ClassifierName for space in ordered]
    return predict_folds(photographs.features, photographs.labels, folds, asked)
