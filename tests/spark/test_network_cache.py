"""A network is made once, and anew when anything that it was made from has changed."""

import hashlib

import pytest

from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.network_cache import cached_network
from tests.made_report import made_facts

NO_CODE = ()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FRUITS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Makes a network, and counts how often."""

    def __init__(self):
        self.n_made = 0

    def __call__(self) -> FeatureModel:
        self.n_made += 1
        tflite, weights = b"flatbuffer", b"weights"
        facts = made_facts(
            tflite_sha256=hashlib.sha256(tflite).hexdigest(),
            weights_sha256=hashlib.sha256(weights).hexdigest(),
        )
        return FeatureModel(facts, tflite, weights)


@pytest.fixture
def make():
    return Maker()


def test_a_network_that_was_made_before_is_not_made_again(make):
    first = cached_network("weights a", NO_CODE, make)
    assert cached_network("weights a", NO_CODE, make) == first
    assert make.n_made == 1


def test_other_weights_or_other_code_make_another(make, tmp_path, monkeypatch):
    cached_network("weights a", NO_CODE, make)
    cached_network("weights b", NO_CODE, make)
    source = tmp_path / "some_network_code" / "__init__.py"
    source.parent.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    for text in ("a = 1", "a = 2", "a = 2"):
        source.write_text(text)
        cached_network("weights a", ["some_network_code"], make)
    assert make.n_made == 4


@pytest.mark.parametrize("name", ["model.tflite", "model.json"])
def test_a_damaged_one_is_made_again(make, cache, name):
    cached_network("weights a", NO_CODE, make)
    (file,) = cache.rglob(name)
    file.write_bytes(b"{")
    assert cached_network("weights a", NO_CODE, make).tflite == b"flatbuffer"
    assert cached_network("weights a", NO_CODE, make).tflite == b"flatbuffer"
    assert make.n_made == 2


def test_a_cache_that_cannot_be_written_fails_nothing_and_is_told(make, cache, capsys):
    cache.write_bytes(b"a file where the folder would be")
    assert cached_network("weights a", NO_CODE, make).tflite == b"flatbuffer"
    assert "the network is not cached for the next run: " in capsys.readouterr().err
