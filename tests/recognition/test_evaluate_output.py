"""The evaluation of an output: read, kept, and gone with what it was made from."""

import pytest

from recognition.classifier.classifier_files import load_classifier
from recognition.classifier.identifier import FruitIdentifier
from recognition.current_photographs import read_current
from recognition.evaluation.evaluate_output import EvaluateOptions, evaluate_output
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import read_evaluation
from tests.spark.commands import Place
from tests.spark.runs import put, save

N_PHOTOGRAPHS = 24


@pytest.fixture
def place(tmp_path, seeded_model):
    place = Place(tmp_path)
    save(seeded_model, tmp_path / "model")
    for index in range(N_PHOTOGRAPHS):
        fruit = ("apple", "pear")[index % 2]
        put(place.images, f"{fruit}/{fruit} {index // 8}/{index}.png", seed=index)
    put(place.images, "no label.png", seed=99)
    return place


def chain(place) -> None:
    place.run("--label-level", "2", "--n-components", "4")


def evaluate(place):
    return evaluate_output(
        EvaluateOptions(
            output=place.output.location,
            test_images=None,
            n_folds=3,
            group_by="^[^/]+/([^/]+)/",
            max_images=1000,
            false_unknown_rate=0.05,
        )
    )


def test_an_evaluation_is_kept_with_a_classifier(place):
    chain(place)
    evaluation = evaluate(place).evaluation
    assert (evaluation.n_photographs, evaluation.n_objects) == (N_PHOTOGRAPHS, 6)
    assert (evaluation.n_unlabeled, evaluation.n_current) == (1, N_PHOTOGRAPHS + 1)
    assert "random weights" in (evaluation.warning or "")
    assert read_evaluation(place.output) == evaluation
    identifier = FruitIdentifier.from_output(place.output.location)
    first = place.images / "apple" / "apple 0" / "0.png"
    answer = identifier.identify(first.read_bytes())
    assert answer.neighbors[0].path == "apple/apple 0/0.png"
    assert answer.neighbors[0].thumbnail is not None


@pytest.mark.parametrize("words", [["reduce", "--refit"], ["erase", "--path", "no label.png"]])
def test_it_goes_with_the_pca_and_with_any_photograph_that_is_erased(place, words):
    """It was fitted in the space of a PCA that has seen the one without a label too."""
    chain(place)
    evaluate(place)
    put(place.images, "pear/pear 3/new.png", seed=100)
    chain(place)
    assert load_classifier(place.output)
    assert place.give(*words) == 0
    with pytest.raises(FruitsError, match="holds no classifier"):
        load_classifier(place.output)
    assert read_evaluation(place.output) is None
    assert not (place.out / "classifier").exists()


def test_a_sample_is_stated_and_the_same_every_time(place):
    chain(place)
    some, again = (read_current(place.output, max_images=10) for _ in range(2))
    assert (len(some), some.n_current, some.is_sample) == (10, N_PHOTOGRAPHS + 1, True)
    assert some.paths == again.paths == sorted(some.paths)
    everything = read_current(place.output)
    rows = [everything.paths.index(path) for path in some.paths]
    assert (everything.take(rows).features == some.features).all()
    assert set(some.paths) < set(everything.paths)


def test_an_output_without_a_model_says_what_to_do(place):
    with pytest.raises(FruitsError, match="holds no PCA model; make one with: fruits reduce"):
        evaluate(place)
    place.run(command="featurize")
    with pytest.raises(FruitsError, match="holds no PCA model; make one with: fruits reduce"):
        evaluate(place)
