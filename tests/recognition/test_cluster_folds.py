"""Folds: what training and test share, and what is refused."""

import numpy as np
import pytest

from recognition.classifier.vectors import vectors_of
from recognition.evaluation.cluster_folds import (
    clusters_of,
    folds_by_object,
    folds_by_photograph,
    labels_with_one_object,
    objects_of,
)
from spark_assets.errors import FruitsError
from tests.recognition.made_features import made_photographs

PHOTOGRAPHS = made_photographs()


def test_no_object_is_on_both_sides_and_every_photograph_is_asked_about_once():
    folds = folds_by_object(PHOTOGRAPHS.labels, PHOTOGRAPHS.objects, 5)
    objects = np.array(PHOTOGRAPHS.objects)
    for fold in folds:
        assert not set(objects[fold.train]) & set(objects[fold.test])
        assert len(fold.train) + len(fold.test) == len(PHOTOGRAPHS)
    asked = np.concatenate([fold.test for fold in folds])
    assert sorted(asked) == list(range(len(PHOTOGRAPHS)))


def test_folds_of_photographs_have_every_label_on_both_sides():
    labels = np.array(PHOTOGRAPHS.labels)
    for fold in folds_by_photograph(PHOTOGRAPHS.labels, 5):
        assert set(labels[fold.train]) == set(labels[fold.test]) == set(labels)


def test_too_many_folds_are_refused_with_a_sentence():
    with pytest.raises(FruitsError, match="4 photographs of 2 objects cannot be divided into 3"):
        folds_by_object(["a", "a", "b", "b"], ["1", "1", "2", "2"], 3)


def test_objects_are_named_by_the_expression_within_their_label():
    paths = ["Apple/Gala 1/r_3.jpg", "Apple/Gala 1/r_4.jpg", "Pear/Gala 1/r_3.jpg", "3.jpg"]
    labels = ["Apple", "Apple", "Pear", None]
    first, second, third, last = objects_of(paths, labels, "^[^/]+/([^/]+)/")
    assert first == second != third
    assert last == "3.jpg"  # without a match, an object of its own
    assert objects_of(paths, labels, None) == paths


def test_frames_of_an_object_are_in_one_cluster_and_every_label_is_in_all_folds():
    frames = made_photographs(n_objects=8, n_frames=12, of_object=3.0, noise=0.01)
    clusters = clusters_of(vectors_of(frames.features), frames.labels, 5)
    assert len(set(zip(frames.objects, clusters, strict=True))) == len(set(frames.objects))
    for fold in folds_by_object(frames.labels, clusters, 5):
        assert len({frames.labels[row] for row in fold.train}) == 3


def test_of_few_photographs_each_is_a_cluster():
    few = vectors_of(made_photographs(n_objects=1, n_frames=3).features)
    assert len(set(clusters_of(few, ["a"] * 3 + ["b"] * 6, 5))) == 3 + 5


def test_labels_with_a_single_object_are_told():
    assert labels_with_one_object(["a", "a", "b", "b"], ["1", "1", "2", "3"]) == ["a"]
