"""A classifier made by hand, in an output as a run would leave it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord, classifier_files
from recognition.classifier.fit_classifier import HeldOut, fit_classifier
from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.classifier.ridge import Setting
from recognition.classifier.vectors import vectors_of
from recognition.evaluation.cluster_folds import folds_by_photograph
from recognition.evaluation.fold_predictions import FittedFolds
from spark_assets.output.commit import begin, commit
from spark_assets.output.output import CLASSIFIER, PCA_MODEL, Output
from spark_assets.output.pca_model import PCARecord, pca_files
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.locations import parse_location
from tests.recognition.made_features import made_photographs

MODEL_ID = "20260102T030405Z-0a0b0c"
NETWORK = "ab" * 32
PENALTY, TEMPERATURE = 0.1, 0.2
MADE_FROM = {"20260102T030000Z-0a0b0c": 144}


def made_pca(features: np.ndarray, n_components: int = 4) -> PCAModel:
    return fit(PCAStatistics.from_features(features), n_components)


def made_classifier(
    features: np.ndarray, paths: Sequence[str], labels: Sequence[str], **changes: float
) -> FruitClassifier:
    """Fit a classifier in which every photograph is an object of its own."""
    vectors, setting = vectors_of(features), Setting(PENALTY, None)
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    fitted = FittedFolds.of(vectors, codes, folds_by_photograph(labels, 4))
    return fit_classifier(
        made_pca(features),
        features,
        vectors,
        paths,
        labels,
        setting=setting,
        held_out=HeldOut(
            np.concatenate(fitted.logits(setting)),
            fitted.distances(),
            changes.get("temperature", TEMPERATURE),
        ),
        false_unknown_rate=changes.get("false_unknown_rate", 0.05),
        make_thumbnails=lambda kept: [path.encode() for path in kept],
    )


def classifier_of_clouds(**changes: float) -> FruitClassifier:
    """Return a classifier of three clouds that are far apart."""
    clouds = made_photographs(of_label=4.0)
    paths = [f"{label}/{n}.jpg" for n, label in enumerate(clouds.labels)]
    return made_classifier(clouds.features, paths, clouds.labels, **changes)


def made_record(classifier: FruitClassifier, *, network_sha256: str = NETWORK) -> ClassifierRecord:
    return ClassifierRecord(
        model_id=MODEL_ID,
        fitted_model_id=MODEL_ID,
        network_sha256=network_sha256,
        warning=None,
        made_at="2026-01-02T03:04:05+00:00",
        made_from=MADE_FROM,
        n_photographs=len(classifier.reference),
        n_labels=len(classifier.linear.labels),
        group_by=None,
        chosen_by="clusters",
        penalty=PENALTY,
        n_components=None,
        temperature=TEMPERATURE,
        false_unknown_rate=0.05,
        unknown_threshold=classifier.unknown_detector.threshold,
        accuracy=0.9,
        accuracy_low=0.8,
        accuracy_high=0.95,
        versions={"fruits": "0.1.0"},
        sha256={},
    )


def save_in_output(
    classifier: FruitClassifier, folder: Path, *, network_sha256: str = NETWORK
) -> Output:
    """Write a PCA model, and the classifier in its space."""
    pca = classifier.pca
    record = PCARecord(
        model_id=MODEL_ID,
        fitted_here=True,
        fitted_model_id=MODEL_ID,
        fitted_on=MADE_FROM,
        network_sha256=network_sha256,
        n_components=pca.n_components,
        n_components_asked="4",
        n_samples=pca.n_samples,
        n_features=pca.n_features,
        explained_variance=pca.explained_variance.tolist(),
        explained_variance_ratio=pca.explained_variance_ratio.tolist(),
        seconds_by_stage={},
    )
    kept = made_record(classifier, network_sha256=network_sha256)
    location = parse_location(str(folder))
    with begin(location, "made") as change:
        files = pca_files(pca, record, statistics=None, reference=None)
        change.put_folder(PCA_MODEL, files)
        change.put_folder(CLASSIFIER, classifier_files(classifier, kept))
        commit(change)
    return Output.open(location)
