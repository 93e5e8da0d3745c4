"""The report as one self-contained HTML page."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import resources

import plotly.graph_objects as go
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from spark_assets.output.findings_table import FindingKind
from spark_assets.report import evaluation_figures, figures
from spark_assets.report.data import MAX_REJECTED_ROWS, NO_LABEL, PlottedImages, ReportData
from spark_assets.text import numbers
from spark_assets.text.printable import printable

_MAX_MISTAKES = 30
_SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)
_MEANING_OF_REASON = {
    "empty": "the file holds no bytes",
    "not_an_image": "the content is not of a known image format",
    "truncated": "the image breaks off or is damaged",
    "too_large": "over the limit of bytes or pixels, so not decoded",
    "unreadable": "it could not be fetched or decoded",
}
_MEANING_OF_KIND = {
    FindingKind.DUPLICATE: "the same bytes under another name",
    FindingKind.NEAR_DUPLICATE: "the same photograph, re-encoded",
    FindingKind.SIMILAR_VIEW: "nearly the same view as in another split: next frame or burst",
    FindingKind.WRONG_LABEL: "an out-of-fold classifier predicts another label",
    FindingKind.UNDEREXPOSED: "underexposed: low 99th percentile of luminance",
    FindingKind.OVEREXPOSED: "overexposed: much of the subject is clipped",
    FindingKind.BLURRED: "blurred: no sharp edge",
    FindingKind.LOW_RESOLUTION: "low resolution: few pixels",
}
_HEADING_OF_KIND = {
    FindingKind.DUPLICATE: "duplicate of",
    FindingKind.NEAR_DUPLICATE: "near duplicate of",
    FindingKind.SIMILAR_VIEW: "similar to",
    FindingKind.WRONG_LABEL: "suggestion",
}


def render(data: ReportData) -> str:
    """Return the page: HTML that asks nothing of the network, and forbids itself to.

    Any path, label, reason or detail is safe in it, and the text encodes as UTF-8.
    """
    figure_of = _figures(data)
    script = _asset("page.js")
    plotly = get_plotlyjs()
    page_data = {
        "figures": {name: json.loads(figure.to_json()) for name, figure in figure_of.items()},
        "images": _images(data.plotted) if data.plotted else [],
    }
    return _template().render(
        data=data,
        run=data.latest_run,
        counts=data.latest_run.counts,
        feature_model=data.latest_run.feature_model,
        pca=data.pca,
        has_figure=figure_of.keys(),
        page_data=page_data,
        content_security_policy=_content_security_policy([plotly, script] if figure_of else []),
        style=Markup(_asset("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        shares=_SHARES,
        max_rejected_rows=MAX_REJECTED_ROWS,
        max_mistakes=_MAX_MISTAKES,
        meaning_of_reason=_MEANING_OF_REASON,
        options=list(_flat(data.latest_run.options)),
        meaning_of_kind=_MEANING_OF_KIND,
        heading_of_kind=_HEADING_OF_KIND,
        no_label=NO_LABEL,
    )


def _figures(data: ReportData) -> dict[str, go.Figure]:
    if data.pca is None:
        return {}
    figure_of: dict[str, go.Figure | None] = {
        "explained-variance": figures.explained_variance(data.pca)
    }
    if data.plotted is not None and data.plotted.paths:
        ratio = data.pca.explained_variance_ratio
        figure_of["first-two"] = figures.first_two_components(data.plotted, ratio)
        figure_of["first-three"] = figures.first_three_components(data.plotted, ratio)
    if data.evaluation is not None:
        figure_of["accuracy"] = evaluation_figures.accuracy_curve(data.evaluation)
        figure_of["confusions"] = evaluation_figures.confusion_matrix(data.evaluation)
        figure_of["reliability"] = evaluation_figures.reliability(data.evaluation)
    return {name: figure for name, figure in figure_of.items() if figure is not None}


def _images(plotted: PlottedImages) -> list[dict[str, str | None]]:
    """Return what the card beside the pointer shows, once for both plots."""
    return [
        {
            "path": printable(path),
            "label": NO_LABEL if label is None else printable(label),
            "thumbnail": thumbnail,
        }
        for path, label, thumbnail in zip(
            plotted.paths, plotted.labels, plotted.thumbnails, strict=True
        )
    ]


def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_asset),
    )
    names = (
        "audited_of", "count", "counted", "share", "rate", "size", "duration", "moment", "usd",
    )  # fmt: skip
    environment.filters |= {name: getattr(numbers, name) for name in names}
    environment.filters |= {"printable": printable, "option": shown_option}
    return environment.get_template("page.html")


def _asset(name: str) -> str:
    # Not a path beside this file: on a cluster the package is imported from a zip.
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _content_security_policy(scripts: list[str]) -> str:
    """Return a policy under which nothing is fetched and only the given scripts run.

    Scripts are named by digest, so one smuggled in through a file name is refused even if escaping
    failed.  Plotly sets styles as it draws and saves a plot through a ``blob:`` image.
    """
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    allowed = allowed or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _flat(options: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield nested options one by one, named ``limits.max_bytes``."""
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def shown_option(value: object) -> str:
    """Return the value of an option as it could be typed, or in a word."""
    match value:
        case None:
            return "not given"
        case bool():
            return "yes" if value else "no"
        case str():
            return printable(value) if value else "(empty)"
        case int() | float():
            return str(value)
        case _:
            return printable(json.dumps(value, ensure_ascii=False, default=str))
