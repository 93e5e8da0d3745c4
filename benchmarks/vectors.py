"""What a classifier is best given: features as they are, standardised, of length 1, or components.

``python -m benchmarks.vectors --train FOLDER --test FOLDER --weights FILE --alpha 0.35`` prints a
table of balanced accuracies: of the test folder, and of folds of the training folder that leave
whole objects out.  An object is a folder that holds photographs; the label is the folder right
below each of the two.
"""

import sys
from collections.abc import Callable, Sequence

import numpy as np
from numpy import float32
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.figures import describe_machine
from benchmarks.settings import Photographs, featurize, train_and_test
from benchmarks.workbench import say
from recognition.classifier.logistic import fit_logistic
from recognition.evaluation.folds import Fold, folds_by_object
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.pca.model import fit, project
from spark_assets.pca.statistics import PCAStatistics

_SHARE = 0.95
_N_FOLDS = 5

Vectors = NDArray[float32]
# From the vectors of the training to what maps any vectors.
Prepare = Callable[[Vectors], Callable[[Vectors], Vectors]]


def _as_they_are(train: Vectors) -> Callable[[Vectors], Vectors]:
    mean = train.mean(axis=0)
    return lambda vectors: vectors - mean


def _standardised(train: Vectors) -> Callable[[Vectors], Vectors]:
    mean, deviation = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-9)
    return lambda vectors: (vectors - mean) / deviation


def _of_length_1(train: Vectors) -> Callable[[Vectors], Vectors]:
    mean = _scaled(train).mean(axis=0)
    return lambda vectors: _scaled(vectors) - mean


def _components(train: Vectors) -> Callable[[Vectors], Vectors]:
    model = fit(PCAStatistics.from_features(train), _SHARE)
    return lambda vectors: project(model, vectors).astype(float32)


def _components_standardised(train: Vectors) -> Callable[[Vectors], Vectors]:
    model = fit(PCAStatistics.from_features(train), _SHARE)
    deviation = np.sqrt(model.explained_variance)
    return lambda vectors: (project(model, vectors) / deviation).astype(float32)


def _components_of_length_1(train: Vectors) -> Callable[[Vectors], Vectors]:
    model = fit(PCAStatistics.from_features(train), _SHARE)
    return lambda vectors: _scaled(project(model, vectors).astype(float32))


def _scaled(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, 1e-12)
    return scaled


PREPARATIONS: dict[str, Prepare] = {
    "1280 features": _as_they_are,
    "1280 features, standardised": _standardised,
    "1280 features, of length 1": _of_length_1,
    "components (95 % of the variance): **what is used**": _components,
    "components, standardised": _components_standardised,
    "components, of length 1": _components_of_length_1,
}


def accuracies(
    vectors: Vectors, labels: NDArray[np.str_], folds: Sequence[Fold], prepare: Prepare
) -> tuple[float, float]:
    """Return the balanced accuracy of the nearest neighbor and of the logistic regression."""
    truth: list[str] = []
    nearest: list[str] = []
    logistic: list[str] = []
    for fold in folds:
        prepared = prepare(vectors[fold.train])
        train, test = prepared(vectors[fold.train]), prepared(vectors[fold.test])
        known = labels[fold.train]
        truth += labels[fold.test].tolist()
        nearest += KNeighborsClassifier(1).fit(train, known).predict(test).tolist()
        model = fit_logistic(train, known.tolist())
        logistic += [model.labels[best] for best in model.scores(test).argmax(axis=1)]
    return (
        float(balanced_accuracy_score(truth, nearest)),
        float(balanced_accuracy_score(truth, logistic)),
    )


def table(train: Photographs, test: Photographs, flatbuffer: bytes) -> str:
    """Return the balanced accuracies as Markdown."""
    photographs = [each.pixels(IMAGE_SIZE_PX) for each in (train, test)]
    vectors = np.concatenate([featurize(flatbuffer, pixels)[0] for pixels in photographs])
    labels = np.concatenate([train.labels, test.labels])
    n = len(train.labels)
    of_test = [Fold(np.arange(n), np.arange(n, len(labels)))]
    by_object = folds_by_object(train.labels.tolist(), train.objects.tolist(), _N_FOLDS)
    lines = [
        "| vectors | test: nearest neighbor | logistic regression | folds by object: nearest "
        "neighbor | logistic regression |",
        "|---|---|---|---|---|",
    ]
    for name, prepare in PREPARATIONS.items():
        say(name)
        figures = [
            figure
            for folds in (of_test, by_object)
            for figure in accuracies(vectors, labels, folds, prepare)
        ]
        lines.append(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    arguments = train_and_test("benchmarks.vectors", __doc__).parse_args(argv)
    try:
        train = Photographs.below(arguments.train)
        test = Photographs.below(arguments.test).without(train)
        request = FeatureModelRequest(str(arguments.weights), arguments.alpha)
        printed = table(train, test, request.obtain(verbose=False).tflite)
    except FruitsError as error:
        say(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{printed}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
