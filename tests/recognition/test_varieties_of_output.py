"""Varieties of an output: evaluated, kept with the classifier, exported; and wrong expressions."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognition.classifier.classifier_files import load_classifier
from recognition.classifier.exported_classifier import load_identifier
from recognition.classifier.identifier import FruitIdentifier
from recognition.classifier.variety_classifier import MIN_PROBABILITY
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.evaluation_record import read_evaluation
from spark_assets.storage.locations import parse_location
from tests.spark.commands import Place
from tests.spark.images import encode, picture
from tests.spark.runs import save

pytestmark = pytest.mark.slow

COLOURS = {
    "apple/Granny": (90, 200, 60),
    "apple/Gala": (220, 40, 40),
    "pear/Conference": (120, 110, 30),
    "pear/Anjou": (240, 230, 90),
    "plum/Mirabelle": (90, 30, 140),
}
N_OF_VARIETY = 12
REGEX = "^[^/]+/([^/]+)/"
# Objects that show each variety of a label: clusters of these few would be the varieties.
EVALUATE = ("evaluate", "--folds", "3", "--group-by", "([0-9]+)[.]png$")


def photograph(name: str, seed: int) -> bytes:
    image = picture(96, 96, seed)
    return encode(Image.blend(image, Image.new("RGB", image.size, COLOURS[name]), 0.6), "PNG")


@pytest.fixture(scope="module")
def place(tmp_path_factory, seeded_model) -> Place:
    place = Place(tmp_path_factory.mktemp("varieties"))
    save(seeded_model, place.folder / "model")
    for number, name in enumerate(COLOURS):
        for seed in range(N_OF_VARIETY):
            file = place.images / name / f"{seed}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(photograph(name, 100 * number + seed))
    place.run("--label-level", "2", "--n-components", "4")
    return place


@pytest.fixture(scope="module")
def evaluated(place) -> Place:
    assert place.give(*EVALUATE, "--variety-regex", REGEX) == 0
    return place


@pytest.fixture(scope="module")
def phone(evaluated) -> Path:
    folder = evaluated.folder / "phone"
    assert evaluated.give("export-classifier", "--to", str(folder)) == 0
    return folder


def test_the_evaluation_and_the_record_say_where_varieties_come_from(evaluated):
    classifier, record = load_classifier(evaluated.output)
    assert classifier.varieties is not None
    # Of plums there is one variety, and no answer.
    assert set(classifier.varieties.known.labels) == {"apple", "pear"}
    assert (record.n_labels, record.n_varieties, record.variety_regex) == (3, 4, REGEX)
    assert record.variety_min_probability == MIN_PROBABILITY
    assert record.variety_temperature is not None
    kept = read_evaluation(evaluated.output)
    assert kept is not None
    assert kept.varieties is not None
    assert kept.varieties.n_tested == 4 * N_OF_VARIETY
    assert kept.varieties.accuracy > 0.9
    assert 'id="varieties"' in (evaluated.out / "report/index.html").read_text()


def test_a_phone_answers_the_same_varieties(evaluated, phone):
    here = FruitIdentifier.from_output(evaluated.output.location)
    there = load_identifier(parse_location(str(phone)))
    photographs = [photograph(name, 1000 + seed) for name in COLOURS for seed in range(6)]
    answers = [(here.identify(each), there.identify(each)) for each in photographs]
    assert sum(a.variety is not None for a, _ in answers) >= 5
    for a, b in answers:
        assert a.variety is None or a.variety_probability >= MIN_PROBABILITY
        # Near the limit, 16-bit weights decide either way.
        if (a.variety is None) == (b.variety is None):
            assert a.variety == b.variety
            assert b.variety_probability == pytest.approx(a.variety_probability, abs=0.02)
        else:
            assert (a.variety_probability or b.variety_probability) < MIN_PROBABILITY + 0.02
        assert a.top_label != "plum" or a.variety is None


def test_the_probabilities_on_a_phone_sum_to_those_of_the_labels(phone):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_path=str(phone / "identifier.tflite")).get_signature_runner()
    label_set = json.loads((phone / "labels.json").read_text())
    for seed, name in enumerate(COLOURS):
        content = photograph(name, 2000 + seed)
        pixels = decode_image(content, size_px=224, limits=ImageLimits()).pixels
        found = {key: value[0] for key, value in run(pixels=pixels[np.newaxis]).items()}
        for label in ("apple", "pear"):
            of_label = [each == label for each in label_set["variety_labels"]]
            assert sum(of_label) == 2
            assert found["variety_probabilities"][of_label].sum() == pytest.approx(
                found["probabilities"][label_set["labels"].index(label)], abs=1e-3
            )


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("(", "--variety-regex '(' is not a valid regular expression"),
        ("^([^/]+)/", "no label has photographs of two varieties; give --variety-regex"),
    ],
)
def test_a_wrong_expression_is_refused_and_the_classifier_stays(
    evaluated, capsys, expression, sentence
):
    before = (evaluated.out / "classifier/classifier.json").read_bytes()
    assert evaluated.give(*EVALUATE, "--variety-regex", expression) == 1
    assert sentence in capsys.readouterr().err
    assert (evaluated.out / "classifier/classifier.json").read_bytes() == before


def test_an_evaluation_without_varieties_removes_them(place, evaluated, phone):
    assert place.give(*EVALUATE) == 0
    assert not (place.out / "classifier/varieties.parquet").exists()
    assert load_classifier(place.output)[0].varieties is None
