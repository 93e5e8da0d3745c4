import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from sklearn.decomposition import PCA

from spark_assets.errors import FruitsError
from spark_assets.pca.model import PCAModel, fit, parse_n_components, project
from spark_assets.pca.statistics import PCAStatistics


def make_features(n_samples=300, n_features=12, *, seed=0, mean=0.0):
    """Return features whose variances fall by half from one direction to the next."""
    rng = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(rng.normal(size=(n_features, n_features)))
    deviations = 2.0 ** -(np.arange(n_features) / 2)
    return (rng.normal(size=(n_samples, n_features)) * deviations) @ directions + mean


def fitted(features, n_components):
    return fit(PCAStatistics.from_features(features), n_components)


@pytest.mark.parametrize("mean", [0.0, 5.0, 1e6])
@pytest.mark.parametrize(("n_samples", "n_components"), [(300, 12), (300, 3), (9, 8)])
def test_it_equals_scikit_learn(n_samples, n_components, mean):
    features = make_features(n_samples, mean=mean)
    # The oracle gets the same numbers near 0, where it loses no digits of its own.
    oracle = PCA(n_components, svd_solver="full").fit(features - mean)
    model = fitted(features, n_components)
    np.testing.assert_allclose(model.explained_variance, oracle.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(
        model.explained_variance_ratio, oracle.explained_variance_ratio_, rtol=1e-9
    )
    np.testing.assert_allclose(model.components, oracle.components_, atol=1e-6)
    np.testing.assert_allclose(model.mean, oracle.mean_ + mean, rtol=1e-12, atol=1e-12)
    assert model.n_samples == n_samples


def test_a_rectangle_has_the_components_that_one_sees():
    model = fitted(np.array([[0.0, 0], [4, 0], [0, 2], [4, 2]]), 2)
    np.testing.assert_allclose(model.explained_variance, [16 / 3, 4 / 3], rtol=1e-15)
    np.testing.assert_allclose(model.explained_variance_ratio, [0.8, 0.2], rtol=1e-15)
    np.testing.assert_allclose(model.components, np.eye(2), atol=1e-15)


def test_components_are_orthonormal_rows():
    components = fitted(make_features(), 5).components
    assert components.shape == (5, 12)
    np.testing.assert_allclose(components @ components.T, np.eye(5), atol=1e-13)


def test_the_largest_entry_of_each_component_is_positive():
    components = fitted(make_features(), 12).components
    largest = np.abs(components).argmax(axis=1)
    assert (components[np.arange(12), largest] > 0).all()


def test_the_spectrum_holds_every_component_that_exists():
    model = fitted(make_features(300), 3)
    assert model.spectrum_ratio.shape == (12,)
    np.testing.assert_array_equal(model.spectrum_ratio[:3], model.explained_variance_ratio)
    assert model.spectrum_ratio.sum() == pytest.approx(1.0, rel=1e-12)
    assert fitted(make_features(6), 3).spectrum_ratio.shape == (5,)


def test_directions_without_variance_explain_nothing_and_never_less():
    features = make_features()
    features[:, 6:] = features[:, :6]
    model = fitted(features, 12)
    assert (model.explained_variance >= 0).all()
    np.testing.assert_allclose(model.explained_variance[6:], 0, atol=1e-14)
    np.testing.assert_allclose(model.components @ model.components.T, np.eye(12), atol=1e-13)


def test_a_share_keeps_as_few_components_as_explain_it():
    features = make_features()
    cumulative = np.cumsum(fitted(features, 12).spectrum_ratio)
    for share in (0.01, 0.3, 0.5, 0.9, 0.95, 0.999999):
        n_components = fitted(features, share).n_components
        assert cumulative[n_components - 1] >= share
        assert n_components == 1 or cumulative[n_components - 2] < share


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_share_that_is_reached_exactly_is_enough(tenths):
    ten_alike = np.concatenate([np.eye(10), -np.eye(10)])
    assert fitted(ten_alike, tenths / 10).n_components == tenths


def test_the_largest_share_keeps_all_components():
    assert fitted(make_features(), 1 - 1e-9).n_components == 12


@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_the_projection_has_mean_0_and_the_explained_variance(mean):
    features = make_features(mean=mean)
    model = fitted(features, 5)
    projected = project(model, features)
    assert projected.shape == (300, 5)
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-15 * (1 + mean) * 100)
    covariance = np.cov(projected.T)
    np.testing.assert_allclose(np.diag(covariance), model.explained_variance, rtol=1e-8)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-8)


def test_projecting_on_all_components_loses_nothing():
    features = make_features(mean=3.0)
    model = fitted(features, 12)
    np.testing.assert_allclose(
        project(model, features) @ model.components + model.mean, features, atol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_projection_is_of_the_dtype_of_the_features(dtype):
    features = make_features(mean=100.0).astype(dtype)
    model = fitted(features, 4)
    projected = project(model, features)
    exact = (features.astype(np.float64) - model.mean) @ model.components.T
    assert projected.dtype == dtype
    np.testing.assert_allclose(projected, exact, rtol=1e-6, atol=1e-11)


def test_features_of_another_length_are_not_projected():
    model = fitted(make_features(), 4)
    with pytest.raises(FruitsError, match=r"hold 7 features, .* fitted on 12; .* same network"):
        project(model, np.zeros((3, 7)))


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("100", 100), ("0.95", 0.95), (".5", 0.5), ("1e-3", 0.001)]
)
def test_a_number_of_components_is_a_count_or_a_share(text, value):
    parsed = parse_n_components(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    "text", ["0", "-3", "1.5", "abc", "1.0", "0.0", "nan", "inf", "", "1_0", "²", "-0.5"]
)
def test_no_other_number_of_components_is_taken(text):
    with pytest.raises(FruitsError) as refused:
        parse_n_components(text)
    assert str(refused.value) == (
        f"{text!r} is not a number of components; give --n-components a whole number of at least "
        "1, or a share of variance between 0 and 1 such as 0.95"
    )


@pytest.mark.parametrize("n_components", [0, -3, 1.5, 1.0, float("nan")])
def test_a_fit_takes_no_other_number_of_components_either(n_components):
    with pytest.raises(FruitsError, match="is not a number of components"):
        fitted(make_features(), n_components)


@pytest.mark.parametrize(("n_samples", "most"), [(300, 12), (9, 8), (2, 1)])
def test_more_components_than_exist_are_refused_with_the_most_that_do(n_samples, most):
    assert fitted(make_features(n_samples), most).n_components == most
    sentence = (
        rf"--n-components {most + 1} is more than the {most} components that {n_samples} images "
        rf"with 12 features have; give at most {most}"
    )
    with pytest.raises(FruitsError, match=sentence):
        fitted(make_features(n_samples), most + 1)


def test_no_images_have_no_components():
    with pytest.raises(FruitsError, match="at least 2 images, got no images; add"):
        fit(PCAStatistics.empty(), 0.95)


def test_one_image_has_no_components():
    with pytest.raises(FruitsError, match="at least 2 images, got only 1 image; add"):
        fitted(make_features(1), 0.95)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 / 3])
def test_images_with_the_same_features_have_no_components(value):
    with pytest.raises(FruitsError, match=r"features of all 50 images are the same.*; add other"):
        fitted(np.full((50, 4), value, np.float32), 0.95)


def test_differences_at_rounding_level_are_no_differences():
    features = np.full((50, 4), 1e6)
    features[::2] = np.nextafter(features[::2], 0)
    with pytest.raises(FruitsError, match="are the same"):
        fitted(features, 0.95)


def test_tiny_features_have_components_all_the_same():
    features = make_features(mean=1.0)
    np.testing.assert_allclose(
        fitted(features * 1e-11, 3).components, fitted(features, 3).components, atol=1e-9
    )


def test_features_that_are_not_finite_are_refused_with_their_number():
    features = make_features()
    features[[3, 8], 0] = np.nan, np.inf
    with pytest.raises(FruitsError, match="2 of 300 feature vectors hold NaN or infinity"):
        fitted(features, 0.95)


def test_a_model_is_kept_in_a_table_of_one_row(tmp_path):
    model = fitted(make_features(), 5)
    pyarrow.parquet.write_table(model.to_table(), tmp_path / "model.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "model.parquet")
    assert table.num_rows == 1
    assert str(table.schema.field("components").type) == "list<element: list<element: double>>"
    assert table["components"][0].as_py() == model.components.tolist()
    again = PCAModel.from_table(table)
    assert again.n_samples == 300
    for name in PCAModel.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"path": ["a", "b"]}),
        pa.table({}),
        fitted(make_features(), 5).to_table().slice(0, 0),
        pa.concat_tables([fitted(make_features(), 5).to_table()] * 2),
        fitted(make_features(), 5).to_table().drop_columns("mean"),
        fitted(make_features(), 5)
        .to_table()
        .set_column(0, "mean", pa.array([[1.0, 2.0]], pa.list_(pa.float64()))),
    ],
    ids=["another", "nothing", "no rows", "two rows", "a column less", "lengths that differ"],
)
def test_another_table_is_not_taken_for_a_model(table):
    with pytest.raises(FruitsError, match=r"is not a PCA model; give one that fruits reduce"):
        PCAModel.from_table(table)
