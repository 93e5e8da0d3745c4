"""The plots of an evaluation: accuracy by number of components, and the reliability diagram."""

import plotly.graph_objects as go

from spark_assets.output.evaluation_record import NEAREST, RIDGE, Evaluation
from spark_assets.report.plot_layout import ACCENT, GRID, INK, MUTED, base_layout, percent_ticks
from spark_assets.text.languages import Language

_COLOUR = {RIDGE: ACCENT, NEAREST: "#d55e00"}
_SYMBOL = {RIDGE: "circle", NEAREST: "diamond"}
_DASH = {RIDGE: "solid", NEAREST: "dot"}


def accuracy_curve(evaluation: Evaluation, language: Language) -> go.Figure:
    """Plot the accuracy along the number of components, dashed that of all features."""
    _ = language.gettext
    figure = go.Figure(layout=base_layout(language, height=400))
    for name in (RIDGE, NEAREST):
        points = [point for point in evaluation.curve if point.classifier == name]
        figure.add_trace(
            go.Scatter(
                x=[point.n_components for point in points],
                y=[point.accuracy for point in points],
                text=[
                    ""
                    if point.share is None
                    else "<br>"
                    + _("%(share)s of the variance", share=language.share(point.share, 0))
                    for point in points
                ],
                name=_(name),
                mode="lines+markers",
                line={"color": _COLOUR[name], "width": 2.5, "dash": _DASH[name]},
                marker={"color": _COLOUR[name], "size": 8, "symbol": _SYMBOL[name]},
                hovertemplate="<b>%{y:.1%}</b><br>"
                + _("%(num)s components", num="%{x}")
                + "%{text}<extra></extra>",
            )
        )
        (full,) = (
            score
            for score in evaluation.scores
            if score.n_components is None
            and (score.classifier, score.split) == (name, evaluation.main_split)
        )
        figure.add_hline(y=full.accuracy, line={"color": _COLOUR[name], "width": 1, "dash": "dash"})
    counts = sorted({point.n_components for point in evaluation.curve})
    figure.update_xaxes(
        title=_("number of components"), type="log", tickvals=counts, tickformat=",d"
    )
    figure.update_yaxes(title=_("accuracy"), range=[0, 1.04], **percent_ticks(language))
    legend_title = {"text": _("classifier"), "font": {"color": MUTED}}
    return figure.update_layout(
        hovermode="closest", margin={"l": 64, "b": 56}, legend={"title": legend_title}
    )


def reliability(evaluation: Evaluation, language: Language) -> go.Figure:
    """Plot observed accuracy against predicted probability."""
    _ = language.gettext
    bins = evaluation.calibration
    figure = go.Figure(layout=base_layout(language, height=360))
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
            hovertemplate=_(
                "predicted %(predicted)s, observed %(observed)s",
                predicted="<b>%{x:.0%}</b>",
                observed="<b>%{y:.0%}</b>",
            )
            + "<br>"
            + _("%(num)s photographs", num="%{customdata}")
            + "<extra></extra>",
        )
    )
    figure.update_xaxes(
        title=_("predicted probability"), range=[0, 1.02], **percent_ticks(language)
    )
    figure.update_yaxes(title=_("observed accuracy"), range=[0, 1.02], **percent_ticks(language))
    return figure.update_layout(showlegend=False, margin={"l": 64, "b": 56}, font={"color": INK})
