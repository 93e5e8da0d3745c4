"""Which way the benchmark of accuracy goes, on a part of the real photographs with real weights."""

import shutil

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.accuracy import sets, unknown
from benchmarks.accuracy.measured import evaluated_on, measure, setup_for
from recognition.evaluation.evaluate_features import evaluate_by_folds
from spark_assets.output.evaluation_record import CLUSTERS, PHOTOGRAPHS

pytestmark = pytest.mark.slow

# Of each folder that holds photographs, the first ones by name.
N_PER_FOLDER = {
    "fruits-360/Training": 10,
    "fruits-360/Test": 2,
    "fruits-3-body/Training": 3,
    "grocery/Training": 16,
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


@pytest.fixture(scope="module")
def refused(library, of_phones):
    """Return by score what is called unknown of photographs from the same shops."""
    sets_of_shops = unknown.unknown_sets(library)
    return {
        each.name: unknown.refused(each, of_phones.split.test, sets_of_shops)
        for each in unknown.scorers(of_phones)
    }


def test_packages_are_refused_and_fruit_of_other_shops_is_not(refused):
    found = refused[unknown.VIM]
    assert found[unknown.PACKAGES].share > found[unknown.KNOWN].share + 0.4
    assert found[unknown.PACKAGES].auroc > found[unknown.VEGETABLES].auroc


def test_the_cosine_refuses_more_fruit_of_other_shops_than_the_score_of_unknown(refused):
    assert refused[unknown.VIM][unknown.KNOWN].share < refused[unknown.COSINE][unknown.KNOWN].share
