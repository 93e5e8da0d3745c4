"""The photographs, and the splits that accuracy is measured on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib import cbook
from PIL import Image
from sklearn.datasets import load_sample_images

from sample_photographs.sample_folder import draw_samples
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.weights import FeatureModelRequest
from studies.accuracy_2026_11.features import Featurized, featurize

FOLDERS = (
    "fruits-360/Training",
    "fruits-360/Test",
    "fruits-3-body/Training",
    "fruits-3-body/Test",
    "grocery/Training",
    "grocery/Validation",
    "grocery/Other",
)
CROPS, DRAWN = "crops", "drawn"
# Labels of the turntable by the name that the phone photographs have for the same fruit.
ON_PHONES = {"Limes": "Lime", "Mandarine": "Satsumas"}

AT_RANDOM = "turntable, 12 fruits: a fifth at random"
VARIETIES = "turntable, 3 fruits: other varieties"
PHONES = "phones, 19 fruits: other shops"
TO_PHONES = "turntable to phones, the fruits of both"
_TEST_SHARE = 0.2
_SEED = 0
_CROP_SIDES_PX = (100, 160, 240, 400)
_DRAWN_PER_LABEL = 8

Library = Mapping[str, Featurized]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Photographs to fit on, others to ask about, and what the groups of the first are.

    ``group_by`` None: clusters of similar photographs, else the objects of the photographs.
    """

    name: str
    train: Featurized
    test: Featurized
    group_by: str | None = None


def load_model(data: Path, alpha: float, image_size_px: int) -> FeatureModel:
    """Return the network with the ImageNet weights of the data.  Raises FruitsError without."""
    found = sorted((data / "weights").glob(f"mobilenet_v2_{alpha}_224_*.weights.h5"))
    if not found:
        raise FruitsError(
            f"{data}/weights holds no weights of alpha {alpha}; give another --alphas"
        )
    request = FeatureModelRequest(str(found[0]), alpha, image_size_px=image_size_px)
    return request.obtain(verbose=False)


def load_library(data: Path, model: FeatureModel, cache: Path) -> dict[str, Featurized]:
    """Return the photographs of every folder of the data by name, and pictures without fruit."""
    write_crops(cache / CROPS / "crop")
    draw_samples(cache / DRAWN, images_per_label=_DRAWN_PER_LABEL)
    made = {name: cache / name for name in (CROPS, DRAWN)}
    return load_folders({name: data / name for name in FOLDERS} | made, model, cache)


def load_folders(
    folders: Mapping[str, Path], model: FeatureModel, cache: Path
) -> dict[str, Featurized]:
    """Return the photographs of folders by name; frames of one variety are one object."""
    library = {}
    for name, folder in folders.items():
        found = featurize(folder, model, cache)
        paths = [f"{name}/{path}" for path in found.paths]
        varieties = [path.rsplit("/", 1)[0] for path in paths]
        objects = varieties if name.startswith("fruits-3-body") else paths
        library[name] = replace(found, paths=paths, objects=objects).distinct()
    return library


def splits(library: Library) -> Iterator[Split]:
    """Yield the splits of the table, from the one that flatters most to the hardest."""
    yield at_random(library)
    yield varieties(library)
    yield phones(library)
    yield to_phones(library)


def at_random(library: Library) -> Split:
    """Return photographs of turning fruits, a fifth of them drawn for the test."""
    both = library["fruits-360/Training"] + library["fruits-360/Test"]
    order = np.random.default_rng(_SEED).permutation(len(both))
    n_test = round(_TEST_SHARE * len(both))
    train = both.take(order[n_test:])
    return Split(AT_RANDOM, train, both.take(order[:n_test]).distinct(train))


def varieties(library: Library) -> Split:
    """Return turning apples, cherries and tomatoes, and for the test other varieties of them."""
    train = library["fruits-3-body/Training"]
    return Split(VARIETIES, train, library["fruits-3-body/Test"].distinct(train), "variety")


def phones(library: Library) -> Split:
    """Return photographs of phones, those of other shops for the test."""
    train = library["grocery/Training"]
    return Split(PHONES, train, library["grocery/Validation"].distinct(train))


def to_phones(library: Library) -> Split:
    """Return photographs of turntables, and for the test all phone photographs of their labels."""
    train = turntable(library)
    everything = library["grocery/Training"] + library["grocery/Validation"]
    return Split(TO_PHONES, train, everything.of_labels(set(train.labels)))


def turntable(library: Library) -> Featurized:
    """Return all photographs of turntables for training, with the labels of the phones."""
    found = library["fruits-360/Training"] + library["fruits-360/Test"]
    found = (found + library["fruits-3-body/Training"]).distinct()
    return replace(found, labels=[ON_PHONES.get(label, label) for label in found.labels])


def write_crops(folder: Path) -> None:
    """Write crops of photographs without fruit: a temple, a flower and a portrait.

    They are those that scikit-learn and Matplotlib bring with them.
    """
    if folder.exists():
        return
    photographs = [Image.fromarray(each) for each in load_sample_images().images]
    portrait = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    photographs.append(Image.open(str(portrait)).convert("RGB"))
    unfinished = folder.with_name(f".{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    for number, photograph in enumerate(photographs):
        for side in _CROP_SIDES_PX:
            for top in range(0, photograph.height - side, side):
                for left in range(0, photograph.width - side, side):
                    crop = photograph.crop((left, top, left + side, top + side))
                    crop.save(unfinished / f"{number}-{side}-{top}-{left}.png")
    unfinished.rename(folder)
