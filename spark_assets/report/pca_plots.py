"""The plots of the PCA: explained variance, and the images on two and three components."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
from numpy import float64, int32
from numpy.typing import NDArray

from spark_assets.report.plot_layout import ACCENT, base_layout, percent_ticks, plotly_text
from spark_assets.report.report_data import PCASummary, PlottedImages, shown_label
from spark_assets.text.languages import Language
from spark_assets.text.printable import shorten

# Okabe and Ito's colours, which stay apart under every common colour blindness ("Color Universal
# Design", 2008), without the yellow, which is too pale on white.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
_GREY = "#8a938d"
# All that a 3D scatter can draw, without its "x": an emoji, which many fonts do not have.
_SYMBOLS = (
    "circle", "square", "diamond", "cross", "circle-open", "square-open", "diamond-open",
)  # fmt: skip
_LABEL_LENGTH = 26


def explained_variance(pca: PCASummary, language: Language) -> go.Figure | None:
    """Plot the cumulative explained variance with the kept number of components marked.

    None where the images do not differ at all: there is no variance to explain.
    """
    _ = language.gettext
    if not pca.has_variance:
        return None
    cumulative, kept = pca.cumulative_ratio, pca.n_components
    n_spectrum = len(cumulative)
    figure = go.Figure(layout=base_layout(language, height=400))
    figure.add_trace(
        go.Scatter(
            x=np.arange(1, n_spectrum + 1, dtype=int32),
            y=cumulative,
            customdata=pca.explained_variance_ratio,
            mode="lines+markers" if n_spectrum <= 60 else "lines",
            line={"color": ACCENT, "width": 2.5},
            marker={"color": ACCENT, "size": 6},
            hovertemplate="<b>"
            + _("first %(n)s components: %(share)s", n="%{x:,}", share="%{y:.1%}")
            + "</b><br>"
            + _("component %(n)s: %(share)s", n="%{x:,}", share="%{customdata:.2%}")
            + "<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[kept],
            y=[pca.share_kept],
            mode="markers",
            marker={"color": "white", "size": 11, "line": {"color": ACCENT, "width": 3}},
            hoverinfo="skip",
        )
    )
    figure.add_vrect(x0=0, x1=kept, fillcolor=ACCENT, opacity=0.07, line_width=0, layer="below")
    figure.add_vline(x=kept, line={"color": ACCENT, "width": 1.5, "dash": "dash"})
    on_the_right = kept < 0.55 * n_spectrum
    kept_text = language.ngettext("%(num)s component", "%(num)s components", kept)
    share = _("%(share)s of the variance", share=language.share(pca.share_kept))
    figure.add_annotation(
        x=kept,
        y=0.1,  # below the curve, which is concave
        text=f"<b>{kept_text}</b><br>{share}",
        showarrow=False,
        xanchor="left" if on_the_right else "right",
        xshift=8 if on_the_right else -8,
        align="left" if on_the_right else "right",
        font={"color": ACCENT, "size": 14},
    )
    figure.update_xaxes(
        title=_("number of components"),
        range=[0, n_spectrum + max(1, 0.02 * n_spectrum)],
        tickformat=",d",
        dtick=1 if n_spectrum <= 20 else None,
    )
    figure.update_yaxes(
        title=_("cumulative explained variance"), range=[0, 1.04], **percent_ticks(language)
    )
    return figure.update_layout(hovermode="x", showlegend=False, margin={"l": 64, "b": 56})


def first_two_components(
    plotted: PlottedImages, ratio: NDArray[float64], language: Language
) -> go.Figure | None:
    """Plot the first two components by label; None with fewer than two.

    ``customdata`` of a point is its index in ``plotted``: the page shows path, label and thumbnail
    itself, because plotly has no images in its hover labels.
    """
    if plotted.points.shape[1] < 2:
        return None
    figure = go.Figure(layout=base_layout(language, height=560))
    for name, rows, marker in _by_label(plotted.labels, language):
        figure.add_trace(
            go.Scatter(
                x=plotted.points[rows, 0],
                y=plotted.points[rows, 1],
                customdata=rows,
                name=name,
                mode="markers",
                marker={**marker, "size": 8, "opacity": 0.85},
                hoverinfo="none",
            )
        )
    figure.update_xaxes(title=_axis_title(0, ratio, language))
    figure.update_yaxes(title=_axis_title(1, ratio, language))
    return figure.update_layout(hovermode="closest", margin={"l": 64, "b": 56})


def first_three_components(
    plotted: PlottedImages, ratio: NDArray[float64], language: Language
) -> go.Figure | None:
    """Plot the first three components by label, to be turned; None with fewer than three."""
    if plotted.points.shape[1] < 3:
        return None
    figure = go.Figure(layout=base_layout(language, height=640))
    for name, rows, marker in _by_label(plotted.labels, language):
        figure.add_trace(
            go.Scatter3d(
                x=plotted.points[rows, 0],
                y=plotted.points[rows, 1],
                z=plotted.points[rows, 2],
                customdata=rows,
                name=name,
                mode="markers",
                marker={**marker, "size": 4.5, "opacity": 0.9},
                hoverinfo="none",
            )
        )
    axes = {
        f"{axis}axis": {
            "title": {"text": _axis_title(i, ratio, language), "font": {"size": 12}},
            "tickfont": {"size": 11},
            "gridcolor": "#c9d0cb",
            "zerolinecolor": "#9aa59e",
            "backgroundcolor": "white",
            "showspikes": False,
        }
        for i, axis in enumerate("xyz")
    }
    # Each axis fills the box: with true proportions the third is often a sheet of paper.
    scene = {
        **axes,
        "aspectmode": "cube",
        "camera": {"eye": {"x": 1.4, "y": 1.4, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.13}},
    }
    return figure.update_layout(scene=scene, margin={"l": 0, "b": 0})


def _by_label(
    labels: list[str | None], language: Language
) -> Iterator[tuple[str, NDArray[int32], dict[str, str]]]:
    """Yield for each label, in order, the name to show, the indices of its rows and its marker."""
    rows_of: dict[str | None, list[int]] = {}
    for row, label in enumerate(labels):
        rows_of.setdefault(label, []).append(row)
    in_order = sorted(rows_of, key=lambda label: (label is None, label or ""))
    for i, label in enumerate(in_order):
        name = shorten(shown_label(label, language), _LABEL_LENGTH)
        # Neighbours differ in both, and no pair comes back before all 49 were used.
        n_rounds, of_round = divmod(i, len(_COLOURS))
        symbol = _SYMBOLS[(of_round + n_rounds) % len(_SYMBOLS)]
        marker = {"color": _COLOURS[of_round], "symbol": symbol}
        if label is None:
            marker = {"color": _GREY, "symbol": "circle"}
        yield plotly_text(name), np.array(rows_of[label], dtype=int32), marker


def _axis_title(i: int, ratio: NDArray[float64], language: Language) -> str:
    _ = language.gettext
    if i < len(ratio) and np.isfinite(ratio[i]):
        return _(
            "component %(i)s (%(share)s of the variance)",
            i=i + 1,
            share=language.share(float(ratio[i])),
        )
    return _("component %(i)s", i=i + 1)
