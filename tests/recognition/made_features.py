"""Features made by hand: a cloud for each label, around it one for each object."""

from dataclasses import dataclass

import numpy as np

from recognition.classifier.vectors import vectors_of
from recognition.evaluation.labeled_photographs import EvaluationSetup, LabeledPhotographs
from tests.made_report import made_facts

N_FEATURES = 24


# 4 folds by object; a few photographs, all of which are in the output.
SETUP = EvaluationSetup(
    model_id="M",
    facts=made_facts(),
    components=0.95,
    n_folds=4,
    group_by="object",
    n_unlabeled=0,
    n_copies=0,
    n_sampled=144,
    n_current=144,
)


@dataclass(frozen=True)
class MadePhotographs:
    """Features (n, n_features), and the label and the object of each."""

    features: np.ndarray
    labels: list[str]
    objects: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def labeled(self) -> LabeledPhotographs:
        return LabeledPhotographs(vectors_of(self.features), self.labels, self.objects)


def made_photographs(
    *,
    n_labels: int = 3,
    n_objects: int = 6,
    n_frames: int = 8,
    of_label: float = 2.0,
    of_object: float = 1.0,
    noise: float = 0.2,
    seed: int = 0,
) -> MadePhotographs:
    """Return frames of objects of labels; how far labels, objects and frames are apart is given.

    Features are above 0 on the whole, as those behind a ReLU6 are.
    """
    rng = np.random.default_rng(seed)
    n_frames_of_label = n_objects * n_frames
    labels = np.repeat(np.arange(n_labels), n_frames_of_label)
    objects = np.repeat(np.arange(n_labels * n_objects), n_frames)
    features = (
        3.0
        + of_label * rng.normal(size=(n_labels, N_FEATURES))[labels]
        + of_object * rng.normal(size=(n_labels * n_objects, N_FEATURES))[objects]
        + noise * rng.normal(size=(len(labels), N_FEATURES))
    )
    return MadePhotographs(
        features.astype(np.float32),
        [f"label {label}" for label in labels],
        [f"object {number}" for number in objects],
    )
