"""The report as one self-contained HTML page."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import resources

import plotly.graph_objects as go
from jinja2 import FunctionLoader, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from spark_assets.report.audit_section import (
    DEFINITION_OF_KIND,
    HEADING_OF_KIND,
    MEASURED,
    NAME_OF_KIND,
    measurement,
)
from spark_assets.report.confusion_matrix import confusion_matrix
from spark_assets.report.evaluation_plots import accuracy_curve, reliability
from spark_assets.report.pca_plots import (
    explained_variance,
    first_three_components,
    first_two_components,
)
from spark_assets.report.report_data import (
    MAX_REJECTED_ROWS,
    PlottedImages,
    ReportData,
    shown_label,
)
from spark_assets.report.terms import DEFINITION_OF_REASON, TERMS
from spark_assets.text.languages import ENGLISH, Language
from spark_assets.text.printable import printable
from spark_assets.text.translated_html import translating_environment

_MAX_MISTAKES = 30
_SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)


def render(data: ReportData, language: Language = ENGLISH) -> str:
    """Return the page: HTML that loads nothing from the network, and forbids itself to.

    Any path, label, reason or detail is safe in it, and the text encodes as UTF-8.
    """
    figure_of = _figures(data, language)
    script = _asset("report.js")
    plotly = get_plotlyjs()
    page_data = {
        "figures": {name: json.loads(figure.to_json()) for name, figure in figure_of.items()},
        "images": _images(data.plotted, language) if data.plotted else [],
    }
    return _template(data, language).render(
        language=language.code,
        data=data,
        run=data.latest_run,
        counts=data.latest_run.counts,
        feature_model=data.latest_run.feature_model,
        pca=data.pca,
        has_figure=figure_of.keys(),
        page_data=page_data,
        content_security_policy=_content_security_policy([plotly, script] if figure_of else []),
        style=Markup(_asset("report.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        shares=_SHARES,
        max_rejected_rows=MAX_REJECTED_ROWS,
        max_mistakes=_MAX_MISTAKES,
        definition_of_reason=DEFINITION_OF_REASON,
        options=list(_flat(data.latest_run.options)),
        name_of_kind=NAME_OF_KIND,
        definition_of_kind=DEFINITION_OF_KIND,
        heading_of_kind=HEADING_OF_KIND,
        measured=MEASURED,
    )


def _figures(data: ReportData, language: Language) -> dict[str, go.Figure]:
    figure_of: dict[str, go.Figure | None] = {}
    pca, plotted, evaluation = data.pca, data.plotted, data.evaluation
    if pca is not None:
        ratio = pca.explained_variance_ratio
        figure_of["explained-variance"] = explained_variance(pca, language)
        if plotted is not None and plotted.paths:
            figure_of["first-two"] = first_two_components(plotted, ratio, language)
            figure_of["first-three"] = first_three_components(plotted, ratio, language)
        if evaluation is not None:
            figure_of["accuracy"] = accuracy_curve(evaluation, language)
            figure_of["confusions"] = confusion_matrix(evaluation, language)
            figure_of["reliability"] = reliability(evaluation, language)
    return {name: figure for name, figure in figure_of.items() if figure is not None}


def _images(plotted: PlottedImages, language: Language) -> list[dict[str, str | None]]:
    """Return what the card beside the pointer shows, once for both plots."""
    rows = zip(plotted.paths, plotted.labels, plotted.thumbnails, strict=True)
    return [
        {"path": printable(path), "label": shown_label(label, language), "thumbnail": thumbnail}
        for path, label, thumbnail in rows
    ]


def _template(data: ReportData, language: Language) -> Template:
    environment = translating_environment(language, loader=FunctionLoader(_asset))
    environment.filters |= {
        "term": lambda name: _term(name, language),
        "label": lambda label: shown_label(label, language),
        "option": lambda value: shown_option(value, language),
        "measurement": lambda finding: measurement(
            finding, data.findings.record.thresholds if data.findings else {}, language
        ),
    }
    return environment.get_template("report.html")


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


def shown_option(value: object, language: Language) -> str:
    """Return the value of an option as it could be typed, or in a word."""
    match value:
        case None:
            return language.gettext("not set")
        case bool():
            return language.gettext("yes") if value else language.gettext("no")
        case str():
            return printable(value) if value else language.gettext("(empty)")
        case int() | float():
            return str(value)
        case _:
            return printable(json.dumps(value, ensure_ascii=False, default=str))


def _term(name: str, language: Language) -> str:
    """Return the word for a code: of a stage, a reason, an item of a bill; others as they are."""
    return language.text(TERMS[name]) if name in TERMS else printable(name)
