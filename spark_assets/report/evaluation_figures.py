"""The plots of an evaluation: accuracy by components, confusion matrix, reliability diagram."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from spark_assets.output.evaluation_record import NEAREST, RIDGE, Evaluation
from spark_assets.report.figures import ACCENT, GRID, INK, MUTED, base_layout, plotly_text
from spark_assets.text.numbers import share
from spark_assets.text.printable import printable, shorten

# Of more labels, names and numbers no longer fit; the table of mistakes has them all.
MAX_LABELS_IN_MATRIX = 40
_LABEL_LENGTH = 18
_COLOUR = {RIDGE: ACCENT, NEAREST: "#d55e00"}
_SYMBOL = {RIDGE: "circle", NEAREST: "diamond"}
_DASH = {RIDGE: "solid", NEAREST: "dot"}


def accuracy_curve(evaluation: Evaluation) -> go.Figure:
    """Plot the accuracy along the number of components, with all features as a level beside it."""
    figure = go.Figure(layout=base_layout(height=400))
    for name in (RIDGE, NEAREST):
        points = [point for point in evaluation.curve if point.classifier == name]
        figure.add_trace(
            go.Scatter(
                x=[point.n_components for point in points],
                y=[point.accuracy for point in points],
                text=[
                    "" if point.share is None else f", {share(point.share, 0)} of the variance"
                    for point in points
                ],
                name=name,
                mode="lines+markers",
                line={"color": _COLOUR[name], "width": 2.5, "dash": _DASH[name]},
                marker={"color": _COLOUR[name], "size": 8, "symbol": _SYMBOL[name]},
                hovertemplate="<b>%{y:.1%}</b><br>%{x} components%{text}<extra></extra>",
            )
        )
        (full,) = (
            score
            for score in evaluation.scores
            if score.n_components is None
            and (score.classifier, score.split) == (name, evaluation.main_split)
        )
        figure.add_hline(
            y=full.accuracy, line={"color": _COLOUR[name], "width": 1, "dash": _DASH[name]}
        )
    counts = sorted({point.n_components for point in evaluation.curve})
    figure.update_xaxes(title="number of components", type="log", tickvals=counts, tickformat=",d")
    figure.update_yaxes(title="accuracy", range=[0, 1.04], tickformat=".0%")
    legend_title = {"text": "classifier", "font": {"color": MUTED}}
    return figure.update_layout(
        hovermode="closest", margin={"l": 64, "b": 56}, legend={"title": legend_title}
    )


def confusion_matrix(evaluation: Evaluation) -> go.Figure | None:
    """Plot how often photographs of a label were given each label; None for too many labels."""
    asked = sorted({each.label for each in evaluation.confusions})
    given = sorted({*asked, *(each.predicted for each in evaluation.confusions)})
    if len(given) > MAX_LABELS_IN_MATRIX:
        return None
    counts = np.zeros((len(asked), len(given)), dtype=np.int32)
    for each in evaluation.confusions:
        counts[asked.index(each.label), given.index(each.predicted)] = each.n
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(layout=base_layout(height=max(320, 120 + 34 * len(asked))))
    figure.add_trace(
        go.Heatmap(
            z=shares,
            text=counts,
            x=_names(given),
            y=_names(asked),
            zmin=0,
            zmax=1,
            colorscale=[[0, "#ffffff"], [1, ACCENT]],
            texttemplate="%{text}" if len(given) <= MAX_LABELS_IN_MATRIX // 2 else None,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate=(
                "true <b>%{y}</b>, predicted <b>%{x}</b><br>"
                "%{text} photographs, %{z:.1%}<extra></extra>"
            ),
        )
    )
    figure.update_xaxes(title="predicted label", type="category", automargin=True, showgrid=False)
    figure.update_yaxes(
        title="true label", type="category", automargin=True, autorange="reversed", showgrid=False
    )
    return figure.update_layout(showlegend=False, margin={"l": 64, "b": 64})


def reliability(evaluation: Evaluation) -> go.Figure:
    """Plot how often answers were right against how sure they were."""
    bins = evaluation.calibration
    figure = go.Figure(layout=base_layout(height=360))
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": GRID, "width": 2}, hoverinfo="skip"
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[each.mean_probability for each in bins],
            y=[each.accuracy for each in bins],
            customdata=[each.n for each in bins],
            mode="lines+markers",
            line={"color": ACCENT, "width": 2.5},
            marker={"color": ACCENT, "size": 8},
            hovertemplate=(
                "predicted <b>%{x:.0%}</b>, observed <b>%{y:.0%}</b><br>"
                "%{customdata} photographs<extra></extra>"
            ),
        )
    )
    figure.update_xaxes(title="predicted probability", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="observed accuracy", range=[0, 1.02], tickformat=".0%")
    return figure.update_layout(showlegend=False, margin={"l": 64, "b": 56}, font={"color": INK})


def _names(labels: Sequence[str]) -> list[str]:
    """Return labels as an axis shows them, each once: plotly merges equal categories."""
    names: list[str] = []
    for label in labels:
        name = plotly_text(shorten(printable(label), _LABEL_LENGTH))
        while name in names:
            name += " "
        names.append(name)
    return names
