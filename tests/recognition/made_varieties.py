"""Features made by hand: a cloud for each label, in it one for each variety."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recognition.classifier.fit_classifier import fit_varieties
from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.classifier.ridge import Setting
from recognition.classifier.vectors import vectors_of
from recognition.evaluation.labeled_photographs import LabeledPhotographs
from tests.recognition.made_classifier import PENALTY, TEMPERATURE, made_classifier

# Two labels have a variety of the same name, one label has a single variety, one has none.
VARIETIES: Mapping[str, tuple[str | None, ...]] = {
    "apple": ("Fuji", "Gala", "red"),
    "fig": (None,),
    "kiwi": ("Hayward",),
    "pear": ("Conference", "red"),
}
N_FEATURES = 24


@dataclass(frozen=True)
class MadeVarieties:
    """Features (n, n_features), with the label, object and variety of each photograph."""

    features: np.ndarray
    labels: list[str]
    objects: list[str]
    varieties: list[str | None]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def paths(self) -> list[str]:
        return [f"{label}/{n}.jpg" for n, label in enumerate(self.labels)]

    @property
    def labeled(self) -> LabeledPhotographs:
        vectors = vectors_of(self.features)
        return LabeledPhotographs(vectors, self.labels, self.objects, self.varieties)

    def classifier(self, *, min_probability: float) -> FruitClassifier:
        """Fit a classifier of labels and one of varieties."""
        varieties = fit_varieties(
            vectors_of(self.features),
            self.labels,
            self.varieties,
            setting=Setting(PENALTY, None),
            temperature=TEMPERATURE,
        )
        labels = made_classifier(self.features, self.paths, self.labels)
        return replace(labels, varieties=replace(varieties, min_probability=min_probability))


def made_varieties(
    *, of_label: float = 2.0, of_variety: float = 1.0, n_objects: int = 4, seed: int = 0
) -> MadeVarieties:
    """Return 6 frames of each object; how far labels and varieties are apart is given."""
    rng = np.random.default_rng(seed)
    features, labels, objects, varieties = [], [], [], []
    for label, names in VARIETIES.items():
        of_this_label = of_label * rng.normal(size=N_FEATURES)
        for name in names:
            center = 3.0 + of_this_label + of_variety * rng.normal(size=N_FEATURES)
            for number in range(n_objects):
                features.append(center + 0.2 * rng.normal(size=(6, N_FEATURES)))
                labels += 6 * [label]
                objects += 6 * [f"{label} {name} {number}"]
                varieties += 6 * [name]
    return MadeVarieties(np.concatenate(features).astype(np.float32), labels, objects, varieties)
