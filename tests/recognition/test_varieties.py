"""Varieties: one of the predicted label's, where it is probable enough; kept, and shown."""

import json
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from recognition.classifier.classifier_files import load_classifier
from recognition.classifier.fit_classifier import fit_varieties
from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.classifier.linear_classifier import LinearClassifier
from recognition.classifier.ridge import Setting
from recognition.classifier.temperature import softmax
from recognition.classifier.variety_classifier import (
    MIN_PROBABILITY,
    Variety,
    VarietyClassifier,
    VarietySet,
    coded_varieties,
    select_variety,
)
from recognition.classifier.vectors import vectors_of
from recognition.commands.identify import prediction_json, prediction_text
from spark_assets.errors import FruitsError
from tests.recognition.made_classifier import save_in_output
from tests.recognition.made_service import made_service, photograph
from tests.recognition.made_varieties import VARIETIES, made_varieties

MADE = made_varieties()
ALL_ANSWERED = MADE.classifier(min_probability=0.0)
SURE = MADE.classifier(min_probability=MIN_PROBABILITY)
PAIRS = {(label, name) for label, names in VARIETIES.items() for name in names if len(names) > 1}


def anything(n: int = 200) -> np.ndarray:
    """Return features between and beyond those of labels."""
    rng = np.random.default_rng(1)
    return np.abs(3.0 + 2.0 * rng.normal(size=(n, MADE.features.shape[1]))).astype(np.float32)


def answers(classifier: FruitClassifier, features: np.ndarray):
    return classifier.predict(features, features)


def never_unknown(classifier: FruitClassifier) -> FruitClassifier:
    return replace(
        classifier, unknown_detector=replace(classifier.unknown_detector, threshold=-1e9)
    )


def test_a_variety_is_only_ever_one_of_the_predicted_label():
    found = answers(never_unknown(ALL_ANSWERED), np.concatenate([anything(), MADE.features]))
    answered = {(each.label, each.variety) for each in found if each.variety is not None}
    assert answered == PAIRS


def test_the_probabilities_of_the_varieties_of_a_label_sum_to_that_of_the_label():
    varieties, linear = ALL_ANSWERED.varieties, ALL_ANSWERED.linear
    assert varieties is not None
    vectors = vectors_of(anything())
    shares = softmax(linear.logits(vectors))
    joint = varieties.probabilities(vectors, shares, linear.labels)
    for column, label in enumerate(linear.labels):
        rows = [row for row, each in enumerate(varieties.known.labels) if each == label]
        assert len(rows) == (len(VARIETIES[label]) if len(VARIETIES[label]) > 1 else 0)
        if rows:
            np.testing.assert_allclose(joint[:, rows].sum(axis=1), shares[:, column])


def test_a_label_with_one_variety_or_none_never_answers_one():
    of_these = [row for row, label in enumerate(MADE.labels) if label in ("kiwi", "fig")]
    found = answers(never_unknown(ALL_ANSWERED), MADE.features[of_these])
    assert {each.top_label for each in found} == {"kiwi", "fig"}
    assert {(each.variety, each.variety_probability) for each in found} == {(None, None)}


def test_below_the_smallest_probability_the_label_alone_is_answered():
    known = VarietySet(["apple", "apple", "pear", "pear"], ["Fuji", "Gala", "Conference", "red"])
    joint = np.array([0.05, 0.8, 0.1, 0.05])
    assert select_variety(known, joint, "apple", 0.8) == Variety("Gala", 0.8)
    assert select_variety(known, joint, "apple", 0.8001) is None
    assert select_variety(known, joint, "pear", 0.1) == Variety("Conference", 0.1)
    assert select_variety(known, joint, "fig", 0.0) is None


def test_of_similar_varieties_some_are_answered_and_none_that_is_not_probable():
    made = made_varieties(of_variety=0.2)
    rows = [row for row, label in enumerate(made.labels) if label in ("apple", "pear")]
    some, every = (
        answers(never_unknown(made.classifier(min_probability=least)), made.features[rows])
        for least in (MIN_PROBABILITY, 0.0)
    )
    assert [each.label for each in some] == [each.label for each in every]
    is_sure = [each.variety_probability >= MIN_PROBABILITY for each in every]
    assert [each.variety is not None for each in some] == is_sure
    assert 0 < sum(is_sure) < len(rows)


def test_what_is_unknown_has_no_variety():
    everything = replace(SURE, unknown_detector=replace(SURE.unknown_detector, threshold=1e9))
    found = answers(everything, MADE.features[:20])
    assert {(each.label, each.variety) for each in found} == {(None, None)}
    assert any(each.variety for each in answers(never_unknown(SURE), MADE.features[:20]))


def test_every_variety_weighs_as_much_and_photographs_without_one_change_nothing():
    rows = [row for row in range(len(MADE)) if (MADE.labels[row], MADE.varieties[row]) in PAIRS]
    alone = fitted(rows, penalty=0.1)
    everything = fitted(range(len(MADE)), penalty=0.1)
    assert everything.known == alone.known
    np.testing.assert_array_equal(everything.linear.coefficients, alone.linear.coefficients)
    twice = [*rows, *(row for row in rows if MADE.varieties[row] == "Gala")]
    # A penalty is of sums over rows.
    more = fitted(twice, penalty=0.1 * len(twice) / len(rows))
    np.testing.assert_allclose(more.linear.coefficients, alone.linear.coefficients, atol=0.01)


def fitted(rows: Sequence[int], *, penalty: float) -> VarietyClassifier:
    photographs = MADE.labeled.take(list(rows))
    return fit_varieties(
        photographs.vectors,
        photographs.labels,
        photographs.varieties,
        setting=Setting(penalty, None),
        temperature=1.0,
    )


def test_photographs_without_a_variety_have_no_number():
    known, codes = coded_varieties(["a", "a", "a", "b", "b"], ["y", None, "x", "x", "x"])
    assert known == VarietySet(["a", "a"], ["x", "y"])
    assert codes.tolist() == [1, -1, 0, -1, -1]


def test_a_classifier_answers_varieties_as_before_it_was_written(tmp_path):
    output = save_in_output(SURE, tmp_path)
    back, record = load_classifier(output)
    assert answers(back, MADE.features) == answers(SURE, MADE.features)
    assert "varieties.parquet" in record.sha256
    file = tmp_path / "classifier/varieties.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(FruitsError, match=r"varieties\.parquet is missing or not the file"):
        load_classifier(output)


def test_an_output_without_varieties_has_no_file_of_them(tmp_path):
    back, record = load_classifier(save_in_output(replace(SURE, varieties=None), tmp_path))
    assert back.varieties is None
    assert "varieties.parquet" not in record.sha256
    assert not (tmp_path / "classifier/varieties.parquet").exists()


def test_the_command_prints_a_variety_with_its_probability_or_the_label_with_its_own():
    (answer,) = answers(SURE, MADE.features[:1])
    answer = replace(
        answer, label="Apple", variety="Gala", probability=0.97, variety_probability=0.83
    )
    assert prediction_text("photo.jpg", answer).startswith("photo.jpg: Apple (Gala), 83 %\n")
    alone = replace(answer, variety=None, variety_probability=None)
    assert prediction_text("photo.jpg", alone).startswith("photo.jpg: Apple, 97 %\n")
    values = [
        json.loads(json.dumps(prediction_json("photo.jpg", each))) for each in (answer, alone)
    ]
    assert [each["variety"] for each in values] == ["Gala", None]
    assert [each["variety_probability"] for each in values] == [0.83, None]


def test_the_service_answers_the_variety_and_shows_any_name(colours):
    n_features = len(colours.classifier.unknown_detector.mean)
    weights = LinearClassifier(["\x07loud", "soft"], np.zeros((2, n_features)), np.array([50.0, 0]))
    named = VarietyClassifier(VarietySet(["apple", "apple"], ["\x07loud", "soft"]), weights)
    identifier = copy(colours)
    identifier.classifier = replace(colours.classifier, varieties=replace(named, min_probability=0))
    with made_service(identifier) as service:
        apple, plum = (service.identify(photograph(label)).json for label in ("apple", "plum"))
    assert (apple["label"], apple["variety"]) == ("apple", r"\x07loud")
    assert apple["variety_probability"] == pytest.approx(apple["probability"])
    assert (plum["label"], plum["variety"], plum["variety_probability"]) == ("plum", None, None)
