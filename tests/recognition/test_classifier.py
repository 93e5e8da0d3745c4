"""The classifier: its answers, and the files that it is kept in."""

import json

import numpy as np
import pytest

from recognition import classifier
from recognition.classifier.classifier_files import load_classifier
from spark_assets.errors import FruitsError
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.recognition.made_classifier import classifier_of_clouds, save_in_output
from tests.recognition.made_features import N_FEATURES, made_photographs

CLASSIFIER = classifier_of_clouds()
CLOUDS = made_photographs(of_label=4.0)


def test_the_public_names_can_be_imported():
    assert {name for name in classifier.__all__ if hasattr(classifier, name)} == {
        *classifier.__all__
    }
    assert not hasattr(classifier, "no_such_name")


def test_a_photograph_like_known_ones_gets_their_label_and_the_nearest_of_them():
    (answer,) = CLASSIFIER.predict(CLOUDS.features[:1], CLOUDS.features[:1])
    assert answer.label == answer.top_label == CLOUDS.labels[0]
    assert answer.probability > 0.9
    similarities = [each.similarity for each in answer.neighbors]
    assert similarities == sorted(similarities, reverse=True)
    assert answer.neighbors[0].path == f"{CLOUDS.labels[0]}/0.jpg"
    assert answer.neighbors[0].similarity == pytest.approx(1.0, abs=2e-3)
    assert {each.label for each in answer.neighbors} == {CLOUDS.labels[0]}


def test_its_point_is_its_projection_on_the_first_two_components():
    (answer,) = CLASSIFIER.predict(CLOUDS.features[:1], CLOUDS.features[:1])
    projected = (CLOUDS.features[0] - CLASSIFIER.pca.mean) @ CLASSIFIER.pca.components[:2].T
    assert answer.point == pytest.approx(tuple(projected), rel=1e-4)
    np.testing.assert_allclose(CLASSIFIER.reference.points[0], projected, rtol=1e-4)


def test_a_photograph_and_its_mirror_image_are_one_question():
    some, others = CLOUDS.features[:5], CLOUDS.features[60:65]
    there, back = CLASSIFIER.predict(some, others), CLASSIFIER.predict(others, some)
    assert [each.probability for each in there] == [each.probability for each in back]
    assert [each.known_score for each in there] == [each.known_score for each in back]


def test_what_is_far_from_everything_is_unknown_and_tells_what_would_be_likeliest():
    far = np.zeros((1, N_FEATURES), np.float32)
    far[0, 0] = 10.0
    (answer,) = CLASSIFIER.predict(far, far)
    assert answer.label is None
    assert answer.top_label in CLASSIFIER.linear.labels


def test_the_answer_for_one_photograph_does_not_depend_on_those_beside_it():
    together = CLASSIFIER.predict(CLOUDS.features[:5], CLOUDS.features[:5])
    rows = [CLOUDS.features[row : row + 1] for row in range(5)]
    alone = [CLASSIFIER.predict(row, row)[0] for row in rows]
    assert [each.label for each in together] == [each.label for each in alone]
    assert [each.probability for each in together] == pytest.approx(
        [each.probability for each in alone]
    )


def test_features_of_another_network_are_refused():
    with pytest.raises(FruitsError, match="hold 7 features, but the PCA model was fitted on 24"):
        CLASSIFIER.predict(np.ones((1, 7), np.float32), np.ones((1, 7), np.float32))


def test_a_classifier_answers_as_before_it_was_written(tmp_path):
    back, record = load_classifier(save_in_output(CLASSIFIER, tmp_path))
    before, after = (each.predict(CLOUDS.features, CLOUDS.features) for each in (CLASSIFIER, back))
    assert before == after
    assert record.unknown_threshold == CLASSIFIER.unknown_detector.threshold


def test_a_file_that_is_not_the_one_that_was_written_is_refused(tmp_path):
    output = save_in_output(CLASSIFIER, tmp_path)
    file = tmp_path / "classifier/known.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(FruitsError, match=r"known\.parquet is missing or not the file"):
        load_classifier(output)
    file.unlink()
    with pytest.raises(FruitsError, match=r"known\.parquet is missing or not the file"):
        load_classifier(output)


@pytest.mark.parametrize("field", ["fitted_model_id", "network_sha256"])
def test_a_pca_model_that_it_was_not_fitted_for_is_refused(tmp_path, field):
    output = save_in_output(CLASSIFIER, tmp_path)
    file = tmp_path / "pca_model/model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), field: "another"}))
    with pytest.raises(FruitsError, match="was fitted in the space of the PCA model"):
        load_classifier(output)


def test_a_json_of_another_version_is_refused(tmp_path):
    output = save_in_output(CLASSIFIER, tmp_path)
    (tmp_path / "classifier/classifier.json").write_text('{"model_id": "x"}')
    with pytest.raises(FruitsError, match="does not describe a classifier of this version"):
        load_classifier(output)


def test_an_output_without_a_classifier_says_how_to_make_one(tmp_path):
    with pytest.raises(FruitsError, match="make one with: fruits evaluate --output URI"):
        load_classifier(Output.open(parse_location(str(tmp_path))))
