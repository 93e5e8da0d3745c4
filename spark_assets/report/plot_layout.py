"""What the plots of the report share: colours, fonts, axes, legend, numbers of the language."""

from typing import Any

import plotly.graph_objects as go

from spark_assets.text.languages import Language

ACCENT = "#1a6b4a"
INK = "#1d2420"
MUTED = "#5a645e"
GRID = "#e6eae7"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def base_layout(language: Language, *, height: int) -> go.Layout:
    """Return what the plots have in common."""
    axis = {
        "gridcolor": GRID,
        "linecolor": "#c9d0cb",
        "zerolinecolor": "#c9d0cb",
        "ticks": "outside",
        "tickcolor": "#c9d0cb",
        "title": {"standoff": 12},
    }
    return go.Layout(
        template="none",  # plotly's own would add 7 kB to every figure
        height=height,
        separators=language.separators,
        margin={"l": 0, "r": 16, "t": 32, "b": 0},
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"family": FONT, "size": 13, "color": INK},
        xaxis=axis,
        yaxis=axis,
        legend={
            "title": {"text": language.gettext("label"), "font": {"color": MUTED}},
            "itemsizing": "constant",
            # Against the right edge, where its scroll bar stays inside.
            "xref": "container",
            "x": 0.985,
            "xanchor": "right",
            "font": {"size": 12},
        },
        hoverlabel={"bgcolor": "white", "bordercolor": ACCENT, "font": {"color": INK}},
        showlegend=True,
    )


def percent_ticks(language: Language) -> dict[str, Any]:
    """Return the ticks of an axis of shares; plotly's own form has no space before the sign."""
    values = [n / 5 for n in range(6)]
    return {"tickvals": values, "ticktext": [language.share(value, 0) for value in values]}


def plotly_text(text: str) -> str:
    """Return text that plotly shows as it is: it reads tags and entities like a small browser."""
    # "%{" stays text as long as no trace has the ``meta`` that a template in a name needs, and "$"
    # because the page turns formulas off.
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text
