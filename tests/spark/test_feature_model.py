import dataclasses
import json
import os
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.image_plan import NoChange
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import (
    MAX_MEMBER_MIB,
    FeatureModel,
    load_facts,
    load_feature_model,
    model_folder,
    network_sha256,
    save_feature_model,
)
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.storage.locations import parse_location
from tests.conftest import no_spark
from tests.spark.runs import options_for, put, run_here


@pytest.fixture
def folder(tmp_path, seeded_model):
    location = parse_location(str(tmp_path / "model"))
    save_feature_model(seeded_model, location)
    return location


def test_a_model_comes_back_as_it_was_saved(folder, seeded_model: FeatureModel):
    assert load_feature_model(model_folder(folder)) == seeded_model


def test_model_json_says_what_there_is_to_know(folder, seeded_model):
    facts = load_facts(model_folder(folder))
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
        load_feature_model(model_folder(folder))


def test_a_missing_file_is_named(folder):
    folder.filesystem.delete_file(f"{folder.base}/model.tflite")
    with pytest.raises(FruitsError, match=r"model\.tflite is missing; export the model again"):
        load_feature_model(model_folder(folder))


def test_a_place_without_a_model_gets_the_command_that_makes_one(tmp_path):
    empty = model_folder(parse_location(str(tmp_path)))
    assert load_facts(empty) is None
    with pytest.raises(FruitsError, match="make one with: fruits export-model"):
        load_feature_model(empty)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"architecture": "MobileNetV2"}'])
def test_a_description_of_something_else_is_refused(folder, text):
    with open(f"{folder.base}/model.json", "w") as file:
        file.write(text)
    with pytest.raises(FruitsError, match=r"model\.json does not describe a feature model of this"):
        load_facts(model_folder(folder))


def pack(folder, *, names=None, method=zipfile.ZIP_DEFLATED):
    """Return the place of a .zip with the files of a model at its top level."""
    place = parse_location(f"{folder.base}.zip")
    with zipfile.ZipFile(place.base, "w", method) as archive:
        for name in os.listdir(folder.base) if names is None else names:
            archive.write(f"{folder.base}/{name}", name)
    return place


def replace_in(place, old: bytes, new: bytes, *, count: int = -1):
    with open(place.base, "r+b") as file:
        content = file.read()
        assert old in content
        file.seek(0)
        file.write(content.replace(old, new, count))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_model_comes_back_from_a_zip(folder, seeded_model, method):
    packed = pack(folder, method=method)
    beside = sorted(os.listdir(os.path.dirname(packed.base)))
    assert load_facts(model_folder(packed)) == seeded_model.facts
    assert load_feature_model(model_folder(packed)) == seeded_model
    assert sorted(os.listdir(os.path.dirname(packed.base))) == beside  # nothing is unpacked


def test_a_folder_may_have_the_name_of_a_zip(tmp_path, seeded_model):
    folder = parse_location(str(tmp_path / "model.zip"))
    save_feature_model(seeded_model, folder)
    assert load_feature_model(model_folder(folder)) == seeded_model


def test_a_zip_that_is_not_there_gets_the_command_that_makes_a_model(tmp_path):
    with pytest.raises(
        FruitsError, match=r"no feature model at .*model\.zip .*fruits export-model"
    ):
        load_feature_model(model_folder(parse_location(str(tmp_path / "model.zip"))))


def test_a_file_that_a_zip_lacks_is_named(folder):
    packed = pack(folder, names=["model.json", "model.tflite"])
    with pytest.raises(FruitsError, match=r"model\.zip/model\.weights\.h5 is missing; export"):
        load_feature_model(model_folder(packed))
    packed = pack(folder, names=["model.tflite"])
    with pytest.raises(FruitsError, match=r"there is no feature model at .*model\.zip"):
        load_feature_model(model_folder(packed))


def test_a_file_in_a_zip_that_was_tampered_with_is_refused(folder):
    with open(f"{folder.base}/model.tflite", "ab") as file:
        file.write(b"more")
    with pytest.raises(FruitsError, match=r"model\.zip/model\.tflite is not the file that was"):
        load_feature_model(model_folder(pack(folder)))


def test_what_is_no_zip_is_refused(tmp_path):
    place = parse_location(str(tmp_path / "model.zip"))
    for content in (b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18):
        (tmp_path / "model.zip").write_bytes(content)
        with pytest.raises(FruitsError, match=r"model\.zip cannot be read as a zip file .*; pack"):
            load_facts(model_folder(place))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_an_unusual_kind_is_refused(folder, method):
    with pytest.raises(FruitsError, match=r"\(model\.json is neither stored nor deflated\); pack"):
        load_facts(model_folder(pack(folder, method=method)))


def test_an_encrypted_zip_is_refused(folder):
    packed = pack(folder, names=["model.json"])
    # Bit 0 of the flags, behind the signature and the versions of the central directory.
    replace_in(packed, b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    with pytest.raises(FruitsError, match=r"cannot be read as a zip file .*encrypted"):
        load_facts(model_folder(packed))


def test_a_zip_that_breaks_off_is_refused_wherever_it_does(folder):
    packed = pack(folder, names=["model.json"])
    with open(packed.base, "rb") as file:
        content = file.read()
    for length in range(0, len(content), 7):
        with open(packed.base, "wb") as file:
            file.write(content[:length])
        with pytest.raises(FruitsError, match="cannot be read as a zip file"):
            load_facts(model_folder(packed))


def declared_as(n_bytes: int) -> bytes:
    return struct.pack("<L", n_bytes)


def test_a_file_in_a_zip_that_says_it_is_huge_is_not_read(folder):
    packed = pack(folder, names=["model.json"])
    size = os.path.getsize(f"{folder.base}/model.json")
    replace_in(packed, declared_as(size), declared_as((MAX_MEMBER_MIB + 1) * 1024**2))
    with pytest.raises(FruitsError, match=r"unpacks to 513 MiB, and a file of a model has at most"):
        load_facts(model_folder(packed))


def test_a_file_in_a_zip_that_hides_how_huge_it_is_costs_no_memory(folder):
    facts = json.dumps({"architecture": " " * 2**26}).encode()
    with open(f"{folder.base}/model.json", "wb") as file:
        file.write(facts)
    packed = pack(folder, names=["model.json"])
    replace_in(packed, declared_as(len(facts)), declared_as(100))
    tracemalloc.start()
    with pytest.raises(FruitsError):
        load_facts(model_folder(packed))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


def test_photographs_are_featurized_alike_with_the_zip_and_the_folder_of_a_model(folder, tmp_path):
    for index in range(3):
        put(tmp_path / "images", f"kiwi/{index}.png", seed=index)
    manifest = run_here(options_for(tmp_path, pack(folder).base))
    assert manifest.counts.n_features == 3
    # Nothing is new to the same network in its folder.
    assert featurize(no_spark, options_for(tmp_path, folder.base)) == NoChange(3)


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
    for request, other in (
        (FeatureModelRequest("random", 0.35), imagenet),
        (FeatureModelRequest("random", 1.0), seeded),
        (FeatureModelRequest("random", 0.35, image_size_px=160), seeded),
        (FeatureModelRequest("auto", 0.35), dataclasses.replace(seeded, weights="file")),
    ):
        assert not request.is_met_by(other)
        assert request.is_ruled_out_by(other)


def test_where_only_the_weights_can_tell_a_request_neither_meets_nor_rules_out(seeded_model):
    seeded = seeded_model.facts
    for request in (
        FeatureModelRequest("imagenet", 0.35),
        FeatureModelRequest("nowhere.weights.h5", 0.35),
        FeatureModelRequest(model_uri="anywhere"),
    ):
        assert not request.is_met_by(seeded)
        assert not request.is_ruled_out_by(seeded)


def test_the_same_options_give_the_same_seeded_network(seeded_model, tmp_path, monkeypatch):
    monkeypatch.setenv("FRUITS_CACHE", str(tmp_path))  # made, not found
    again = FeatureModelRequest("random", 0.35).obtain(verbose=False)
    assert again.facts.network_sha256 == seeded_model.facts.network_sha256
    source = "seeded random weights, calibrated on 48 synthetic photographs"
    assert again.facts.weights_source == seeded_model.facts.weights_source == source


def test_seeded_weights_without_the_sample_photographs_name_the_way(monkeypatch):
    # What an import meets on a node of the cluster, which has spark_assets alone.
    monkeypatch.setitem(sys.modules, "sample_photographs.calibration_images", None)
    with pytest.raises(FruitsError, match=r"sample_photographs.*is not installed.*--model URI"):
        FeatureModelRequest("random", 0.35).obtain(verbose=False)
