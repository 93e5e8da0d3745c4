"""Which way the benchmark of accuracy goes, on a part of the real photographs with real weights."""

import shutil

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.accuracy import sets, unknown
from benchmarks.accuracy.measured import SHARE_OF_VARIANCE, evaluated_on, measure, setup_for
from benchmarks.accuracy.steps import balanced
from recognition.evaluation.evaluate import evaluate_by_folds
from spark_assets.output.evaluation import CLUSTERS, PHOTOGRAPHS
from spark_assets.pca.model import fit, project
from spark_assets.pca.statistics import PCAStatistics

pytestmark = pytest.mark.slow

# Of each folder that holds photographs, the first ones by name.
N_PER_FOLDER = {
    "fruits-360/Training": 12,
    "fruits-360/Test": 4,
    "fruits-3-body/Training": 4,
    "grocery/Training": 20,
    "grocery/Validation": 5,
    "grocery/Other": 4,
}


@pytest.fixture(scope="module")
def library(data_dir, real_model, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name, n_photographs in N_PER_FOLDER.items():
        folders = [folder for folder in sorted((data_dir / name).rglob("*")) if folder.is_dir()]
        for folder in folders:
            copies = data / name / folder.relative_to(data_dir / name)
            copies.mkdir(parents=True)
            for path in sorted(folder.glob("*.jpg"))[:n_photographs]:
                shutil.copy(path, copies)
    return sets.load_folders({name: data / name for name in N_PER_FOLDER}, real_model, data)


@pytest.fixture(scope="module")
def of_phones(library, real_model):
    return measure(sets.phones(library), real_model.facts)


def balanced_accuracy(measured):
    return measured.evaluated.evaluation.main_score.balanced_accuracy


def test_the_classifier_is_better_than_logistic_regression_on_components(library, of_phones):
    train, test = of_phones.split.train, of_phones.split.test
    pca = fit(PCAStatistics.from_features(train.plain), SHARE_OF_VARIANCE)
    logistic = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    with threadpool_limits(1):
        logistic.fit(project(pca, train.plain), train.labels)
        predicted = logistic.predict(project(pca, test.plain))
    assert balanced_accuracy(of_phones) > balanced(test.labels, predicted) + 0.02


def test_single_photographs_left_out_flatter(library, real_model):
    train = sets.phones(library).train.for_training()
    with threadpool_limits(1):
        evaluation = evaluate_by_folds(train, setup_for(train, real_model.facts)).evaluation
    clusters, photographs = (
        next(score for score in evaluation.scores if score.split == split)
        for split in (CLUSTERS, PHOTOGRAPHS)
    )
    assert clusters.accuracy < photographs.accuracy - 0.05


def test_a_classifier_of_turntables_is_of_little_use_to_phones(library, of_phones, real_model):
    split = sets.to_phones(library)
    train, test = split.train.for_training(), split.test.for_test()
    from_turntables = evaluated_on(train, test, real_model.facts).evaluation
    assert from_turntables.main_score.balanced_accuracy < balanced_accuracy(of_phones) - 0.2


def test_packages_are_refused_more_often_than_fruit_of_other_shops(library, of_phones):
    packages = unknown.unknown_sets(library)
    found = {
        each.name: unknown.refused(each, of_phones.split.test, packages)
        for each in unknown.scorers(of_phones)
    }
    vim = found[unknown.VIM]
    assert vim[unknown.PACKAGES].share > vim[unknown.KNOWN].share + 0.4
    print(found)
