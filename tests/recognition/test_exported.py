"""The classifier that a phone carries: it answers as the Python class, and is verified."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from operations import cli
from recognition.classifier.exported_classifier import (
    ExportedIdentifier,
    load_identifier,
    write_exported,
)
from recognition.classifier.identifier import FruitIdentifier
from spark_assets.errors import FruitsError
from spark_assets.features.engines import LiteRTEngine
from spark_assets.features.feature_model import save_feature_model
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits, ImageRejected
from spark_assets.output.output import FEATURE_MODEL
from spark_assets.storage.locations import parse_location
from tests.recognition.made_classifier import made_classifier, made_record, save_in_output
from tests.spark.images import encode, picture

pytestmark = pytest.mark.slow
N_PHOTOGRAPHS = 40


def photograph(seed: int) -> bytes:
    """Return a drawn picture, the odd ones in blue."""
    image = picture(96, 96, seed)
    if seed % 2:
        image = Image.blend(image, Image.new("RGB", image.size, (10, 20, 200)), 0.6)
    return encode(image, "PNG")


@pytest.fixture(scope="module")
def identifier(seeded_model, tmp_path_factory) -> FruitIdentifier:
    folder = tmp_path_factory.mktemp("identifier")
    engine = LiteRTEngine(seeded_model.tflite)
    pixels = [
        decode_image(photograph(seed), size_px=224, limits=ImageLimits()).pixels
        for seed in range(N_PHOTOGRAPHS)
    ]
    paths = [f"{'odd' if seed % 2 else 'even'}/{seed}.png" for seed in range(N_PHOTOGRAPHS)]
    labels = [path.split("/")[0] for path in paths]
    classifier = made_classifier(engine(np.stack(pixels)), paths, labels)
    network = seeded_model.facts.network_sha256
    made = save_in_output(classifier, folder, network_sha256=network)
    save_feature_model(seeded_model, made.child(FEATURE_MODEL))
    return FruitIdentifier.from_output(made.location)


@pytest.fixture(scope="module")
def exported(identifier, seeded_model, tmp_path_factory) -> Path:
    from recognition.classifier.export_tflite import export_tflite

    folder = tmp_path_factory.mktemp("exported")
    classifier = identifier.classifier
    n_bytes = write_exported(
        parse_location(str(folder)),
        classifier,
        made_record(classifier),
        tflite=export_tflite(seeded_model, classifier),
        image_size_px=224,
    )
    on_disk = sum(path.stat().st_size for path in folder.iterdir())
    assert n_bytes <= on_disk < 5_000_000
    return folder


def test_a_phone_answers_as_the_python_class(identifier, exported):
    phone = load_identifier(parse_location(str(exported)))
    assert isinstance(phone, ExportedIdentifier)
    for seed in range(100, 112):
        here, there = (each.identify(photograph(seed)) for each in (identifier, phone))
        assert here.top_label == there.top_label == ("odd" if seed % 2 else "even")
        assert there.probability == pytest.approx(here.probability, abs=0.02)
        assert there.known_score == pytest.approx(
            here.known_score, abs=0.02 * identifier.classifier.unknown_detector.weight
        )
        assert there.neighbors[0].similarity == pytest.approx(
            here.neighbors[0].similarity, abs=0.01
        )
        spread = float(np.std(identifier.classifier.reference.points, axis=0).max())
        assert there.point == pytest.approx(here.point, abs=0.05 * spread)
        shared = {each.path for each in here.neighbors} & {each.path for each in there.neighbors}
        assert len(shared) >= 3


def test_nothing_of_a_photograph_but_pixels_counts(identifier):
    plain = io.BytesIO()
    image = Image.open(io.BytesIO(photograph(1)))
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    image.save(plain, "PNG", exif=exif)
    assert identifier.identify(plain.getvalue()) == identifier.identify(photograph(1))


@pytest.mark.parametrize("content", [b"", b"no image", photograph(0)[:200]])
def test_what_is_no_photograph_is_rejected_with_a_reason(identifier, exported, content):
    for each in (identifier, load_identifier(parse_location(str(exported)))):
        with pytest.raises(ImageRejected):
            each.identify(content)


def test_a_changed_file_is_refused(exported, tmp_path):
    for file in exported.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "labels.json").write_text('{"labels": ["pear"]}')
    with pytest.raises(FruitsError, match=r"labels\.json is missing or not the file"):
        load_identifier(parse_location(str(tmp_path)))


def test_no_more_of_a_file_is_read_than_can_be_used(exported, capsys):
    """Of a device that never ends, too."""
    assert cli.main(["identify", "/dev/zero", "--output", str(exported)]) == 3
    assert re.search(r"/dev/zero: rejected, too_large: \d+ bytes", capsys.readouterr().out)
