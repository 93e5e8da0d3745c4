"""The plots of the report, as values."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from spark_assets.report import pca_plots
from spark_assets.report.report_data import PlottedImages
from spark_assets.text.languages import ENGLISH
from tests.made_report import HOSTILE_NAMES, NO_LABEL, made_pca, made_plotted


def test_the_variance_curve_is_the_running_sum_with_the_chosen_number_marked():
    pca = made_pca(n_components=12, n_spectrum=40)
    curve, mark = pca_plots.explained_variance(pca, ENGLISH).data
    assert list(curve.x) == list(range(1, 41))
    np.testing.assert_allclose(curve.y, np.cumsum(pca.explained_variance_ratio))
    np.testing.assert_allclose(curve.customdata, pca.explained_variance_ratio)
    assert (list(mark.x), list(mark.y)) == ([12], [pca.share_kept])


@pytest.mark.parametrize("n_components", [1, 12, 39, 40])
def test_the_annotation_stays_inside_the_variance_plot(n_components):
    figure = pca_plots.explained_variance(made_pca(n_components=n_components), ENGLISH)
    (annotation,) = figure.layout.annotations
    assert annotation.x == n_components
    assert annotation.xanchor == ("left" if n_components < 22 else "right")
    line = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [(shape.x0, shape.x1) for shape in line] == [(n_components, n_components)]


def test_a_share_rounded_up_never_shows_more_than_everything():
    pca = replace(made_pca(n_components=3), explained_variance_ratio=np.full(3, 1 / 3 + 1e-16))
    assert pca_plots.explained_variance(pca, ENGLISH).data[0].y.max() <= 1
    assert pca.share_kept == 1


def test_each_point_is_plotted_once_under_its_label_and_knows_its_image():
    plotted = made_plotted(["pear", None, "apple"], n_points=50)
    two = pca_plots.first_two_components(plotted, made_pca().explained_variance_ratio, ENGLISH)
    three = pca_plots.first_three_components(plotted, made_pca().explained_variance_ratio, ENGLISH)
    for figure in (two, three):
        assert [trace.name for trace in figure.data] == ["apple", "pear", NO_LABEL]
        rows = np.concatenate([trace.customdata for trace in figure.data])
        assert sorted(rows) == list(range(50))
        for trace in figure.data:
            assert {plotted.labels[row] or NO_LABEL for row in trace.customdata} == {trace.name}
            np.testing.assert_array_equal(trace.x, plotted.points[trace.customdata, 0])
            np.testing.assert_array_equal(trace.y, plotted.points[trace.customdata, 1])
    for trace in three.data:
        np.testing.assert_array_equal(trace.z, plotted.points[trace.customdata, 2])


def test_a_label_looks_the_same_in_both_plots():
    plotted = made_plotted([f"variety {i}" for i in range(60)], n_points=60)
    two = pca_plots.first_two_components(plotted, np.zeros(0), ENGLISH)
    three = pca_plots.first_three_components(plotted, np.zeros(0), ENGLISH)
    for a, b in zip(two.data, three.data, strict=True):
        assert (a.name, a.marker.color, a.marker.symbol) == (
            b.name,
            b.marker.color,
            b.marker.symbol,
        )


def test_49_labels_are_told_apart_and_neighbours_differ_in_colour_and_symbol():
    plotted = made_plotted([f"variety {i:03d}" for i in range(131)], n_points=131)
    figure = pca_plots.first_two_components(plotted, np.zeros(0), ENGLISH)
    markers = [(trace.marker.color, trace.marker.symbol) for trace in figure.data]
    assert len(set(markers[:49])) == 49
    for before, after in pairwise(markers[:49]):
        assert before[0] != after[0]
        assert before[1] != after[1]


def test_images_without_a_label_are_not_mixed_up_with_a_folder_of_that_name():
    figure = pca_plots.first_two_components(made_plotted([NO_LABEL, None]), np.zeros(0), ENGLISH)
    assert [trace.name for trace in figure.data] == [NO_LABEL, NO_LABEL]
    assert figure.data[0].marker.color != figure.data[1].marker.color


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_plotly_is_never_given_markup(name):
    figure = pca_plots.first_two_components(made_plotted([name]), np.zeros(0), ENGLISH)
    (trace,) = figure.data
    assert "<" not in trace.name
    assert ">" not in trace.name
    assert trace.name.isprintable()
    assert trace.meta is None
    assert trace.hoverinfo == "none"
    assert trace.hovertemplate is None
    assert trace.text is None


def test_a_long_label_is_shortened_in_the_legend_at_the_middle():
    (trace,) = pca_plots.first_two_components(
        made_plotted(["begin" * 50 + "end"]), np.zeros(0), ENGLISH
    ).data
    assert len(trace.name) == 26
    assert trace.name.startswith("begin")
    assert trace.name.endswith("end")


@pytest.mark.parametrize("n_components", [1, 2])
def test_a_plot_with_too_few_components_is_not_made(n_components):
    plotted = made_plotted(["apple"], n_components=n_components)
    assert (pca_plots.first_two_components(plotted, np.zeros(0), ENGLISH) is None) == (
        n_components < 2
    )
    assert pca_plots.first_three_components(plotted, np.zeros(0), ENGLISH) is None


def test_axes_name_their_share_of_the_variance():
    figure = pca_plots.first_two_components(
        made_plotted(["apple"]), np.array([0.204, 0.1284]), ENGLISH
    )
    assert figure.layout.xaxis.title.text == "component 1 (20.4\N{NO-BREAK SPACE}% of the variance)"
    assert figure.layout.yaxis.title.text == "component 2 (12.8\N{NO-BREAK SPACE}% of the variance)"


def test_plotted_images_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="2 paths, 1 labels, 2 points and 2 thumbnails"):
        PlottedImages(["a", "b"], ["x"], np.zeros((2, 3), "f4"), [None, None], 2)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1), (0.75, 2), (0.7501, 3), (1.0, None)])
def test_the_number_of_components_for_a_share_is_the_smallest_that_holds_it(share, expected):
    pca = replace(made_pca(), n_components=1, explained_variance_ratio=np.array([0.5, 0.25, 0.125]))
    assert pca.n_components_for(share) == expected
