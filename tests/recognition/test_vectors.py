"""The benchmark of vectors: every form of features is made of the training alone."""

import numpy as np
import pytest

from benchmarks.vectors import PREPARATIONS, accuracies
from recognition.evaluation.folds import folds_by_object
from tests.recognition.made_features import made_photographs

PHOTOGRAPHS = made_photographs(of_label=4.0)


@pytest.mark.parametrize("name", PREPARATIONS)
def test_a_form_does_not_depend_on_what_is_asked_about(name):
    prepare = PREPARATIONS[name](PHOTOGRAPHS.features[:100])
    some, more = prepare(PHOTOGRAPHS.features[100:110]), prepare(PHOTOGRAPHS.features[100:])
    np.testing.assert_allclose(some, more[:10], rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # scikit-learn starts lscpu once, to count cores
@pytest.mark.parametrize("name", PREPARATIONS)
def test_labels_that_are_far_apart_are_told_in_every_form(name):
    folds = folds_by_object(PHOTOGRAPHS.labels, PHOTOGRAPHS.objects, 3)
    labels = np.asarray(PHOTOGRAPHS.labels)
    assert accuracies(PHOTOGRAPHS.features, labels, folds, PREPARATIONS[name]) == (1.0, 1.0)
