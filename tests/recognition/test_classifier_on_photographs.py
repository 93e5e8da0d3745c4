"""The classifier on real photographs with real weights: fruit of other shops, and what is none."""

import shutil

import numpy as np
import pytest

from recognition.classifier.exported_classifier import load_identifier
from spark_assets.output.evaluation_record import CLUSTERS, PHOTOGRAPHS, read_evaluation
from tests.spark.commands import Place
from tests.spark.runs import save

pytestmark = pytest.mark.slow

N_PER_FOLDER = {"Training": 8, "Validation": 3}


@pytest.fixture(scope="module")
def place(data_dir, real_model, tmp_path_factory) -> Place:
    """Return an output of phone photographs, with a classifier and its evaluation."""
    place = Place(tmp_path_factory.mktemp("phones"))
    for split, n_photographs in N_PER_FOLDER.items():
        source = data_dir / "grocery" / split
        for folder in (each for each in sorted(source.rglob("*")) if each.is_dir()):
            copies = place.folder / split / folder.relative_to(source)
            copies.mkdir(parents=True)
            for path in sorted(folder.glob("*.jpg"))[:n_photographs]:
                shutil.copy(path, copies)
    (place.folder / "Training").rename(place.images)
    save(real_model, place.folder / "model")
    place.run("--label-regex", "^([^/]+)/")
    assert place.give("evaluate") == 0
    return place


@pytest.fixture(scope="module")
def unknown_share(place):
    """Return the share of a folder's photographs that the classifier calls unknown."""
    identifier = load_identifier(place.output.location)

    def share(folder, step=1):
        paths = sorted(folder.rglob("*.jpg"))[::step]
        return np.mean([identifier.identify(path.read_bytes()).label is None for path in paths])

    return share


def test_single_photographs_left_out_flatter(place):
    by_split = {
        score.split: score.accuracy for score in reversed(read_evaluation(place.output).scores)
    }
    assert by_split[CLUSTERS] < by_split[PHOTOGRAPHS] - 0.05


def test_packages_are_unknown_and_fruit_of_other_shops_is_not(place, data_dir, unknown_share):
    fruit = unknown_share(place.folder / "Validation")
    assert fruit < 0.15
    others = data_dir / "grocery" / "Other"
    packages, vegetables = (
        unknown_share(others / "Packages"),
        unknown_share(others / "Vegetables", 2),
    )
    assert packages > fruit + 0.4
    assert packages > vegetables
