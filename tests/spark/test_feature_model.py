import dataclasses

import numpy as np
import pytest

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import (
    FeatureModel,
    load_facts,
    load_feature_model,
    network_sha256,
    save_feature_model,
)
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.locations import parse_location


@pytest.fixture
def folder(tmp_path, seeded_model):
    location = parse_location(str(tmp_path / "model"))
    save_feature_model(seeded_model, location)
    return location


def test_a_model_comes_back_as_it_was_saved(folder, seeded_model: FeatureModel):
    assert load_feature_model(folder) == seeded_model


def test_model_json_says_what_there_is_to_know(folder, seeded_model):
    facts = load_facts(folder)
    assert facts == seeded_model.facts
    assert (facts.architecture, facts.alpha, facts.image_size_px) == ("MobileNetV2", 0.35, 224)
    assert facts.n_features == 1280
    assert facts.versions.keys() == {"tensorflow", "keras", "ai-edge-litert"}


@pytest.mark.parametrize("name", ["model.tflite", "model.weights.h5"])
def test_a_file_that_was_tampered_with_is_refused(folder, name):
    path = f"{folder.base}/{name}"
    with open(path, "r+b") as file:
        file.seek(1000)
        byte = file.read(1)[0]
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(FruitsError, match=f"{name} is not the file that was exported"):
        load_feature_model(folder)


def test_a_missing_file_is_named(folder):
    folder.filesystem.delete_file(f"{folder.base}/model.tflite")
    with pytest.raises(FruitsError, match=r"model\.tflite is missing; export the model again"):
        load_feature_model(folder)


def test_a_place_without_a_model_gets_the_command_that_makes_one(tmp_path):
    with pytest.raises(FruitsError, match="make one with: fruits export-model"):
        load_feature_model(parse_location(str(tmp_path)))


def test_the_identity_of_a_network_is_its_weights_and_not_its_files(seeded_model):
    weights = [np.ones((2, 3), np.float32), np.zeros(4, np.float32)]
    identity = network_sha256(1.0, 224, weights)
    assert identity == network_sha256(1.0, 224, [array.copy() for array in weights])
    others = [
        network_sha256(0.5, 224, weights),
        network_sha256(1.0, 96, weights),
        network_sha256(1.0, 224, [weights[0].reshape(3, 2), weights[1]]),
        network_sha256(1.0, 224, [weights[0] * 1.0001, weights[1]]),
    ]
    assert len({identity, *others}) == 5


def test_a_request_knows_the_model_that_meets_it(seeded_model):
    seeded = seeded_model.facts
    imagenet = dataclasses.replace(seeded, weights="imagenet")
    assert FeatureModelRequest("random", 0.35).is_met_by(seeded)
    assert FeatureModelRequest("auto", 0.35).is_met_by(seeded)
    assert FeatureModelRequest("auto", 0.35).is_met_by(imagenet)
    assert FeatureModelRequest("imagenet", 0.35).is_met_by(imagenet)
    assert FeatureModelRequest("random", 0.35).is_met_by(imagenet) is False
    assert FeatureModelRequest("random", 1.0).is_met_by(seeded) is False
