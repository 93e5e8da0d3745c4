"""The confusion matrix of an evaluation, as a heat map."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from spark_assets.output.evaluation_record import Evaluation
from spark_assets.report.plot_layout import ACCENT, base_layout, plotly_text
from spark_assets.text.languages import Language
from spark_assets.text.printable import printable, shorten

# Of more labels, names and numbers no longer fit; the table of errors has them all.
MAX_LABELS_IN_MATRIX = 40
_LABEL_LENGTH = 18


def confusion_matrix(evaluation: Evaluation, language: Language) -> go.Figure | None:
    """Plot predicted label by true label; None where there are too many labels."""
    _ = language.gettext
    true = sorted({each.label for each in evaluation.confusions})
    predicted = sorted({*true, *(each.predicted for each in evaluation.confusions)})
    if len(predicted) > MAX_LABELS_IN_MATRIX:
        return None
    counts = np.zeros((len(true), len(predicted)), dtype=np.int32)
    for each in evaluation.confusions:
        counts[true.index(each.label), predicted.index(each.predicted)] = each.n
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(layout=base_layout(language, height=max(320, 120 + 34 * len(true))))
    figure.add_trace(
        go.Heatmap(
            z=shares,
            text=counts,
            x=_names(predicted),
            y=_names(true),
            zmin=0,
            zmax=1,
            colorscale=[[0, "#ffffff"], [1, ACCENT]],
            texttemplate="%{text}" if len(predicted) <= MAX_LABELS_IN_MATRIX // 2 else None,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate=_(
                "true label %(true)s, predicted %(predicted)s",
                true="<b>%{y}</b>",
                predicted="<b>%{x}</b>",
            )
            + "<br>"
            + _("%(num)s photographs", num="%{text}")
            + " (%{z:.1%})<extra></extra>",
        )
    )
    figure.update_xaxes(
        title=_("predicted label"),
        type="category",
        automargin=True,
        showgrid=False,
    )
    figure.update_yaxes(
        title=_("true label"),
        type="category",
        automargin=True,
        autorange="reversed",
        showgrid=False,
    )
    return figure.update_layout(showlegend=False, margin={"l": 64, "b": 64})


def _names(labels: Sequence[str]) -> list[str]:
    """Return labels as an axis shows them, each once: plotly merges equal categories."""
    names: list[str] = []
    for label in labels:
        name = plotly_text(shorten(printable(label), _LABEL_LENGTH))
        while name in names:
            name += " "
        names.append(name)
    return names
