"""A classifier made by hand, in an output as a run would leave it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recognition.classifier.fitting import fit_classifier
from recognition.classifier.model import FruitClassifier
from recognition.classifier.storing import ClassifierRecord, classifier_files
from spark_assets.output.commit import begin, commit
from spark_assets.output.output import CLASSIFIER, PCA_MODEL, Output
from spark_assets.output.pca_model import PCARecord, pca_files
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.locations import parse_location
from tests.recognition.made_features import made_photographs

MODEL_ID = "20260102T030405Z-0a0b0c"
NETWORK = "ab" * 32
MADE_FROM = {"20260102T030000Z-0a0b0c": 144}


def made_pca(features: np.ndarray, n_components: int = 4) -> PCAModel:
    return fit(PCAStatistics.from_features(features), n_components)


def made_classifier(
    features: np.ndarray, paths: Sequence[str], labels: Sequence[str], **changes: float
) -> FruitClassifier:
    """Fit a classifier in which every photograph is an object of its own."""
    return fit_classifier(
        made_pca(features),
        features,
        paths,
        labels,
        paths,
        make_thumbnails=lambda kept: [path.encode() for path in kept],
        **{"temperature": 1.0, "refusal_rate": 0.05, **changes},
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
        n_photographs=len(classifier.known),
        n_labels=len(classifier.logistic.labels),
        group_by=None,
        refusal_rate=0.05,
        similarity_floor=classifier.similarity_floor,
        temperature=1.0,
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
