import pickle

import numpy as np
import pytest

from spark_assets.errors import FruitsError
from spark_assets.pca.statistics import PCAStatistics


def make_features(n_samples=60, n_features=7, *, mean=3.0, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_features, n_features))
    return rng.normal(size=(n_samples, n_features)) @ mixing + mean


def statistics_of(features):
    return PCAStatistics.from_features(features)


def assert_same(one, other, rtol=1e-12):
    assert one.n_samples == other.n_samples
    assert one.n_not_finite == other.n_not_finite
    np.testing.assert_allclose(one.mean, other.mean, rtol=rtol)
    scale = np.abs(other.scatter).max(initial=0.0)
    np.testing.assert_allclose(one.scatter, other.scatter, rtol=0, atol=rtol * scale)


def test_the_scatter_is_the_covariance_times_its_degrees_of_freedom():
    features = make_features()
    statistics = statistics_of(features)
    assert statistics.n_samples == 60
    assert statistics.n_features == 7
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(statistics.scatter / 59, np.cov(features.T), rtol=1e-12)


def test_float32_features_are_summed_in_float64():
    features = make_features(n_samples=5000).astype(np.float32)
    statistics = statistics_of(features)
    assert statistics.mean.dtype == statistics.scatter.dtype == np.float64
    assert_same(statistics, statistics_of(features.astype(np.float64)), rtol=1e-15)


def test_features_are_left_as_they_were():
    features = make_features()
    before = features.copy()
    statistics_of(features)
    np.testing.assert_array_equal(features, before)


@pytest.mark.parametrize("n_blocks", [1, 2, 7, 60])
def test_merged_blocks_have_the_statistics_of_the_whole(n_blocks):
    features = make_features()
    merged = PCAStatistics.empty()
    for block in np.array_split(features, n_blocks):
        merged = merged.merge(statistics_of(block))
    assert_same(merged, statistics_of(features))


def test_the_order_of_rows_does_not_matter():
    features = make_features()
    shuffled = np.random.default_rng(1).permutation(features)
    assert_same(statistics_of(shuffled), statistics_of(features))


def test_merging_has_an_identity():
    statistics = statistics_of(make_features())
    assert_same(statistics.merge(PCAStatistics.empty()), statistics, rtol=0)
    assert_same(PCAStatistics.empty().merge(statistics), statistics, rtol=0)


def test_no_rows_are_the_identity():
    nothing = statistics_of(np.empty((0, 7), np.float32))
    statistics = statistics_of(make_features())
    assert nothing.n_samples == 0
    assert_same(nothing.merge(statistics), statistics, rtol=0)


def test_merging_commutes():
    one, other = statistics_of(make_features(9)), statistics_of(make_features(40, mean=-5, seed=1))
    assert_same(one.merge(other), other.merge(one))


def test_merging_associates():
    a, b, c = (statistics_of(make_features(n, seed=n, mean=n)) for n in (3, 20, 50))
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)))


def test_a_large_mean_costs_no_digits():
    features = make_features(n_samples=700, mean=0.0)
    # A power of two, so that adding it rounds all values alike and both tables are the same.
    centre = 2.0**20
    moved = (features + centre).astype(np.float64)
    exact = statistics_of(moved - centre)
    merged = PCAStatistics.empty()
    for block in np.array_split(moved, 7):
        merged = merged.merge(statistics_of(block))
    np.testing.assert_allclose(
        np.linalg.eigvalsh(merged.scatter), np.linalg.eigvalsh(exact.scatter), rtol=1e-9
    )


def test_identical_vectors_have_no_scatter_at_all():
    features = np.tile(np.float32([0.1, 1e6 / 3, -7.7]), (999, 1))
    merged = PCAStatistics.empty()
    for block in np.array_split(features, 10):
        merged = merged.merge(statistics_of(block))
    assert not merged.scatter.any()
    np.testing.assert_array_equal(merged.mean, features[0].astype(np.float64))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 31])
def test_a_vector_that_is_not_finite_is_counted_and_left_out(bad, row):
    features = make_features()
    spoiled = features.copy()
    spoiled[row, 4] = bad
    expected = statistics_of(np.delete(features, row, axis=0))
    statistics = statistics_of(spoiled)
    assert statistics.n_not_finite == 1
    assert statistics.n_samples == 59
    np.testing.assert_allclose(statistics.scatter, expected.scatter, rtol=1e-12)


def test_infinities_of_both_signs_do_not_cancel():
    features = make_features()
    features[3, 0], features[8, 0] = np.inf, -np.inf
    assert statistics_of(features).n_not_finite == 2


def test_the_count_of_vectors_that_are_not_finite_adds_up_in_merging():
    features = make_features()
    features[[0, 5, 50]] = np.nan
    parts = [statistics_of(block) for block in np.array_split(features, 4)]
    nothing_good = statistics_of(np.full((2, 7), np.nan))
    merged = parts[0].merge(parts[1]).merge(nothing_good).merge(parts[2]).merge(parts[3])
    assert merged.n_not_finite == 5
    assert merged.n_samples == 57


def test_vectors_of_different_lengths_are_refused():
    with pytest.raises(FruitsError, match=r"mixes vectors of 7 and 5 features.*same model"):
        statistics_of(make_features()).merge(statistics_of(make_features(n_features=5)))


@pytest.mark.parametrize(
    "statistics",
    [
        statistics_of(make_features()),
        PCAStatistics.empty(n_not_finite=3),
        statistics_of(np.array([[1.0, 2.0], [np.nan, 3.0]])),
    ],
    ids=["usual", "empty", "not finite"],
)
def test_statistics_travel_without_loss(statistics):
    assert_same(pickle.loads(pickle.dumps(statistics)), statistics, rtol=0)


def test_half_of_a_scatter_travels():
    statistics = statistics_of(make_features(n_features=200))
    assert len(pickle.dumps(statistics)) < 0.6 * statistics.scatter.nbytes
