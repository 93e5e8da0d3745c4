"""Reference photographs: similarity, their table, and the choice."""

import numpy as np
import pyarrow as pa

from recognition.classifier.reference_set import ReferenceSet, evenly_by_label, rounded
from recognition.classifier.vectors import vectors_of


def reference_of(features: np.ndarray, n_thumbnails: int = 0) -> ReferenceSet:
    n = len(features)
    thumbnails = [b"jpeg" if row < n_thumbnails else None for row in range(n)]
    points = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    paths = [f"apple/{row}.jpg" for row in range(n)]
    return ReferenceSet(paths, ["apple"] * n, rounded(vectors_of(features)), points, thumbnails)


def test_similarities_are_cosines():
    rng = np.random.default_rng(0)
    known, new = rng.random((5, 64), np.float32), vectors_of(rng.random((3, 64), np.float32))
    np.testing.assert_allclose(
        reference_of(known).similarities(new), new @ vectors_of(known).T, atol=2e-3
    )


def test_a_table_gives_back_what_was_put_in():
    known = reference_of(np.random.default_rng(0).random((6, 16)), n_thumbnails=2)
    table = known.to_table()
    back = ReferenceSet.from_table(pa.concat_tables([table.slice(0, 2), table.slice(2)]))
    assert (back.paths, back.labels, back.thumbnails) == (
        known.paths, known.labels, known.thumbnails,
    )  # fmt: skip
    np.testing.assert_array_equal(back.vectors, known.vectors)
    np.testing.assert_array_equal(back.points, known.points)


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
