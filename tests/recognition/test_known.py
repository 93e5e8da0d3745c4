"""Known photographs: similarity, the floor below which a photograph is unknown, and the choice."""

import numpy as np
import pyarrow as pa

from recognition.classifier.known import (
    KnownPhotographs,
    directions_of,
    evenly_by_label,
    similarity_floor,
)
from tests.recognition.made_features import made_photographs


def known_of(features: np.ndarray, n_thumbnails: int = 0) -> KnownPhotographs:
    n = len(features)
    thumbnails = [b"jpeg" if row < n_thumbnails else None for row in range(n)]
    points = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    paths = [f"apple/{row}.jpg" for row in range(n)]
    return KnownPhotographs(paths, ["apple"] * n, directions_of(features), points, thumbnails)


def test_similarities_are_cosines():
    rng = np.random.default_rng(0)
    known, new = rng.random((5, 64), np.float32), rng.random((3, 64), np.float32)
    lengths = np.linalg.norm(new, axis=1)[:, None] * np.linalg.norm(known, axis=1)
    np.testing.assert_allclose(
        known_of(known).similarities(new), new @ known.T / lengths, atol=2e-3
    )


def test_features_of_zeros_are_like_nothing():
    assert known_of(np.ones((2, 8))).similarities(np.zeros((1, 8))).tolist() == [[0.0, 0.0]]


def test_a_table_gives_back_what_was_put_in():
    known = known_of(np.random.default_rng(0).random((6, 16)), n_thumbnails=2)
    table = known.to_table()
    back = KnownPhotographs.from_table(pa.concat_tables([table.slice(0, 2), table.slice(2)]))
    assert (back.paths, back.labels, back.thumbnails) == (
        known.paths, known.labels, known.thumbnails,
    )  # fmt: skip
    np.testing.assert_array_equal(back.directions, known.directions)
    np.testing.assert_array_equal(back.points, known.points)


def test_at_the_nominal_rate_that_share_of_like_photographs_is_refused():
    rates = []
    for seed in range(40):
        frames = made_photographs(n_objects=1, n_frames=200, of_object=0.0, noise=1.0, seed=seed)
        rows = np.random.default_rng(seed).permutation(len(frames))
        fitted, new = frames.features[rows[:300]], frames.features[rows[300:]]
        objects = [str(row) for row in range(len(fitted))]
        floor = similarity_floor(fitted, objects, np.arange(len(fitted)), refusal_rate=0.05)
        nearest = known_of(fitted).similarities(new).max(axis=1)
        rates.append(np.mean(nearest < floor))
    assert 0.03 <= np.mean(rates) <= 0.07


def test_frames_of_an_object_do_not_make_the_floor_too_high_for_another_object():
    photographs = made_photographs(noise=0.01, of_object=2.0)
    rows = np.arange(len(photographs))
    of_objects = similarity_floor(
        photographs.features, photographs.objects, rows, refusal_rate=0.05
    )
    each_alone = [str(row) for row in rows]
    of_frames = similarity_floor(photographs.features, each_alone, rows, refusal_rate=0.05)
    assert of_objects < of_frames - 0.01


def test_a_rate_of_nothing_refuses_nothing():
    features = made_photographs().features
    objects = [str(row) for row in range(len(features))]
    assert similarity_floor(features, objects, np.arange(len(features)), refusal_rate=0.0) == -1.0


def test_the_choice_is_even_over_the_labels_and_the_same_in_any_order():
    paths = [
        f"{label}/{n}.jpg"
        for label, count in (("a", 50), ("b", 5), ("c", 20))
        for n in range(count)
    ]
    labels = [path[0] for path in paths]
    rows = evenly_by_label(paths, labels, 15)
    assert [labels[row] for row in rows].count("b") == 5
    assert [labels[row] for row in rows].count("a") == 5
    turned = evenly_by_label(paths[::-1], labels[::-1], 15)
    assert {paths[row] for row in rows} == {paths[::-1][row] for row in turned}
    assert len(evenly_by_label(paths, labels, 1000)) == len(paths)
