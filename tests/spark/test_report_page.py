"""The report page as text: numbers, escaping, and no way out of the page."""

import base64
import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

import spark_assets
from spark_assets.output.manifest import Counts
from spark_assets.pca.drift import FitQuality
from spark_assets.report.html_page import render
from spark_assets.report.report_data import MAX_REJECTED_ROWS, RejectedImage
from spark_assets.text.languages import language
from spark_assets.text.printable import printable
from tests.made_report import (
    HOSTILE_NAMES,
    NO_LABEL,
    made_facts,
    made_pca,
    made_plotted,
    made_report,
    with_hostile_names,
)

DATA = made_report()
WARNING = "seeded weights, not ImageNet"
# As `keras_network` has it, which takes seconds to import.
SEEDED_WARNING = (
    "random weights, not ImageNet's: the features represent colour and coarse texture only; "
    "do not use the results"
)


class Page(HTMLParser):
    """The elements of a page: tags, attributes, and the text inside."""

    _VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)
        assert not self._open, "an element is never closed"

    def handle_starttag(self, tag, attrs):
        element = (tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag in ("th", "td"):
            self.handle_data(" ")
        if tag not in self._VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, text in self._open:
            text.append(data)

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Return the texts of the elements with this tag and these attributes, spaces as one."""
        return [
            " ".join("".join(text).split())
            for name, has, text in self.elements
            if name == tag and attributes.items() <= has.items()
        ]

    def with_id(self, element_id: str) -> tuple[str, dict[str, str], list[str]] | None:
        found = [element for element in self.elements if element[1].get("id") == element_id]
        assert len(found) <= 1, f"{element_id} is on the page more than once"
        return found[0] if found else None

    def text(self, element_id: str) -> str:
        element = self.with_id(element_id)
        assert element is not None, f"no {element_id} on the page"
        return " ".join("".join(element[2]).split())

    def value(self, element_id: str) -> float:
        element = self.with_id(element_id)
        assert element is not None, f"no {element_id} on the page"
        return float(element[1]["data-value"])

    def data(self) -> dict:
        """Return what the page's script works on."""
        element = self.with_id("page-data")
        assert element is not None
        return json.loads("".join(element[2]))

    def scripts(self) -> list[str]:
        return [
            "".join(text)
            for tag, has, text in self.elements
            if tag == "script" and "type" not in has
        ]

    def policy(self) -> str:
        return next(
            has["content"]
            for tag, has, _ in self.elements
            if tag == "meta" and has.get("http-equiv") == "Content-Security-Policy"
        )


@pytest.fixture(scope="module")
def html() -> str:
    return render(DATA)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_number_of_the_run_is_on_the_page(page):
    run, model, pca = DATA.latest_run, DATA.latest_run.feature_model, DATA.pca
    assert pca is not None
    expected = {
        "n-images": run.counts.n_images,
        "n-features": run.counts.n_features,
        "n-rejected": run.counts.n_rejected,
        "n-known": run.counts.n_known,
        "n-runs": DATA.n_runs,
        "n-current-features": DATA.n_current_features,
        "n-current-rejected": DATA.n_current_rejected,
        "images-per-second": run.images_per_second,
        "bytes-read": run.bytes_read,
        "alpha": model.alpha,
        "image-size-px": model.image_size_px,
        "n-features-per-image": model.n_features,
        "n-components": pca.n_components,
        "share-kept": pca.share_kept,
        "n-samples": pca.n_samples,
        "n-points": 200,
        "n-reduced": 800,
    }
    assert {name: page.value(name) for name in expected} == expected


def test_the_receipt_of_the_cluster_is_on_the_page(page):
    receipt = DATA.receipt
    assert receipt is not None
    expected = {
        "cost-usd": receipt.usd,
        "cost-n-images": receipt.n_images,
        "cost-per-million": receipt.usd_per_million,
        "cost-estimate": receipt.estimate_usd,
    }
    assert {name: page.value(name) for name in expected} == expected
    assert page.text("cost-usd") == "1.03 USD"
    assert page.text("cost-cluster-id") == receipt.cluster_id
    assert page.text("cost-assumptions") == "; ".join(receipt.assumptions)
    for cost in receipt.costs:
        assert page.texts("tr", **{"data-part": cost.what}) == [f"{cost.what} {cost.usd:.2f} USD"]
    assert "2 m6g.xlarge, Spot 2 h 24 min" in page.text("node-hours")


def test_a_receipt_without_images_has_no_price_for_a_million():
    receipt = replace(DATA.receipt, n_images=0, n_runs=0, estimate=None, ended_at=None)
    page = Page(render(replace(DATA, receipt=receipt)))
    assert page.value("cost-usd") == receipt.usd
    assert page.with_id("cost-per-million") is page.with_id("cost-estimate") is None
    assert "still running on" in " ".join(page.texts("section"))


@pytest.mark.parametrize("is_in_s3", [True, False])
def test_without_a_receipt_a_cluster_is_told_how_to_get_one_and_a_laptop_nothing(is_in_s3):
    page = Page(render(replace(DATA, receipt=None, is_in_s3=is_in_s3)))
    assert page.with_id("costs") is None
    assert (page.with_id("no-receipt") is not None) == is_in_s3
    assert (page.with_id("cost-heading") is not None) == is_in_s3
    if is_in_s3:
        assert "fruits receipt makes one" in page.text("no-receipt")


def test_every_name_of_the_run_is_on_the_page(page):
    run, model, pca = DATA.latest_run, DATA.latest_run.feature_model, DATA.pca
    assert pca is not None
    expected = {
        "title": DATA.title,
        "run-id": run.run_id,
        "images-uri": run.images_uri,
        "model-id": pca.model_id,
        "n-components-asked": pca.n_components_asked,
        "weights-source": model.weights_source,
        "architecture": model.architecture,
        "network-sha256": model.network_sha256,
        "started-at": "23 November 2025, 12:01 UTC",
    }
    assert {name: page.text(name) for name in expected} == expected


def test_the_counts_are_an_equation(page):
    assert page.text("equation") == "800 images = 796 with features + 4 rejected"


def test_every_option_stage_and_version_is_listed(page):
    assert page.texts("tr", **{"data-option": "engine"}) == ["engine litert"]
    assert page.texts("tr", **{"data-option": "limit"}) == ["limit not set"]
    assert page.texts("tr", **{"data-option": "limits.max_bytes"}) == ["limits.max_bytes 67108864"]
    assert page.texts("tr", **{"data-version": "pyspark"}) == ["pyspark 4.1.1"]
    assert page.texts("tr", **{"data-step": "featurize"}) == [
        "list the images 0.62 s",
        "load the network 2.40 s",
        "compute features 5.43 s",
        "count 1.10 s",
    ]
    assert len(page.texts("tr", **{"data-step": "reduce"})) == 3


def test_rejected_images_are_listed_with_reason_and_detail(page):
    assert page.texts("tr", **{"data-reason": "truncated"}) == [
        "truncated the file is cut short or damaged 2"
    ]
    table = page.text("rejected")
    for image in DATA.rejected:
        assert image.path in table
        assert image.reason.replace("_", " ") in table
        assert image.detail in table


def test_a_long_list_of_rejected_images_is_cut_and_says_so():
    rejected = [RejectedImage(f"x/{i:04d}.jpg", "empty", "0 bytes") for i in range(700)]
    html = render(replace(DATA, rejected=rejected, n_current_rejected=12_345))
    assert len(re.findall(r"x/\d{4}\.jpg", html)) == MAX_REJECTED_ROWS
    page = Page(html)
    assert page.value("n-rejected-not-shown") == 12_345 - MAX_REJECTED_ROWS
    assert "The first 500 rejected images" in page.texts("h3")


def test_a_run_that_rejected_nothing_says_so():
    counts = Counts(796, n_known=0, n_features=796, n_rejected=0, rejected_by_reason={})
    run = replace(DATA.latest_run, counts=counts)
    page = Page(render(replace(DATA, latest_run=run, rejected=[], n_current_rejected=0)))
    assert page.text("none-rejected") == "No image was rejected by this run."
    assert page.with_id("rejected") is None


def test_a_warning_about_the_weights_comes_before_everything_else():
    run = replace(DATA.latest_run, feature_model=made_facts(warning=WARNING))
    page = Page(render(replace(DATA, latest_run=run)))
    tag, attributes, text = page.with_id("warning") or ("", {}, [])
    assert (tag, attributes["role"]) == ("aside", "alert")
    assert WARNING in "".join(text)
    ids = [has["id"] for _, has, _ in page.elements if "id" in has]
    assert ids.index("warning") < ids.index("equation")


def test_without_a_warning_there_is_no_banner(page):
    assert page.with_id("warning") is None


@pytest.mark.parametrize(
    ("fitted_here", "note"),
    [(True, "images, by this run"), (False, "images, earlier; these images are projected with it")],
)
def test_the_page_tells_a_fitted_pca_from_a_borrowed_one(fitted_here, note):
    pca = replace(made_pca(), fitted_here=fitted_here)
    assert Page(render(replace(DATA, pca=pca))).text("fitted-here") == note


def test_the_page_loads_nothing(html, page):
    for tag, attributes, _ in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            address = attributes.get(name, "")
            assert address.startswith("data:") or not address, (tag, name, address)
    style = "".join(page.texts("style"))
    assert "url(" not in style
    assert "@import" not in style
    own = html.replace(get_plotlyjs(), "")
    assert "http:" not in own
    assert "https:" not in own


def test_only_the_scripts_of_the_page_may_run_and_nothing_may_be_fetched(page):
    policy = dict(part.strip().split(" ", 1) for part in page.policy().split(";"))
    assert policy.pop("default-src") == "'none'"
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in page.scripts()
    ]
    assert policy.pop("script-src") == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert len(digests) == 2
    assert policy == {
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_plotly_and_each_thumbnail_are_on_the_page_once(html):
    assert html.count("plotly.js v") == 1
    assert DATA.plotted is not None
    thumbnails = [uri for uri in DATA.plotted.thumbnails if uri is not None]
    assert len(thumbnails) == 180
    assert html.count("data:image/jpeg") == 180
    assert len(html) < len(get_plotlyjs()) + 1.1 * sum(map(len, thumbnails)) + 100_000


def test_hostile_names_add_no_element_and_no_attribute(page):
    hostile = Page(render(with_hostile_names(DATA)))
    assert {tag for tag, _, _ in hostile.elements} == {tag for tag, _, _ in page.elements} | {
        "aside"
    }
    assert hostile.scripts() == page.scripts()
    assert hostile.policy() == page.policy()
    names = {name for _, has, _ in hostile.elements for name in has}
    assert names == {name for _, has, _ in page.elements for name in has}


def test_hostile_names_are_shown_in_full():
    html = render(with_hostile_names(DATA))
    html.encode("utf-8")
    page = Page(html)
    rejected = page.text("rejected")
    data = page.data()
    for name in HOSTILE_NAMES:
        shown = " ".join(printable(name).split())
        assert shown in rejected
        assert printable(name) in {image["label"] for image in data["images"]}
        assert page.texts("tr", **{"data-version": printable(name)}) == [f"{shown} {shown}"]


def test_the_images_of_the_page_are_those_of_the_points(page):
    images = page.data()["images"]
    plotted = DATA.plotted
    assert plotted is not None
    assert [image["path"] for image in images] == plotted.paths
    assert [image["label"] for image in images] == [label or NO_LABEL for label in plotted.labels]
    assert [image["thumbnail"] for image in images] == plotted.thumbnails


def test_the_page_is_the_same_every_time(html):
    assert render(DATA) == html


def test_without_any_usable_image_the_page_is_small_and_says_why():
    run = replace(
        DATA.latest_run,
        counts=Counts(3, n_known=0, n_features=0, n_rejected=3, rejected_by_reason={"empty": 3}),
        images_per_second=float("nan"),
    )
    html = render(replace(DATA, latest_run=run, pca=None, plotted=None))
    page = Page(html)
    assert "every image was rejected" in page.text("no-pca")
    assert page.text("equation") == "3 images = 0 with features + 3 rejected"
    assert page.scripts() == []
    assert "script-src 'none'" in page.policy()
    assert len(html) < 100_000


@pytest.mark.parametrize(
    ("n_components", "figures", "sentences"),
    [
        (1, ["explained-variance"], ["no-first-two", "no-first-three"]),
        (2, ["explained-variance", "first-two"], ["no-first-three"]),
        (3, ["explained-variance", "first-two", "first-three"], []),
    ],
)
def test_a_plot_that_takes_more_components_gives_way_to_a_sentence(
    n_components, figures, sentences
):
    plotted = made_plotted(["apple"], n_points=5, n_components=n_components)
    page = Page(render(replace(DATA, plotted=plotted, pca=made_pca(n_components=n_components))))
    assert [has["data-figure"] for _, has, _ in page.elements if "data-figure" in has] == figures
    assert page.data()["figures"].keys() == set(figures)
    given = [name for name in ("no-first-two", "no-first-three") if page.with_id(name)]
    assert given == sentences


@pytest.mark.parametrize("ratio", [0.0, np.nan])
def test_images_without_any_difference_have_no_variance_to_explain(ratio):
    pca = replace(made_pca(), n_components=1, explained_variance_ratio=np.full(5, ratio))
    plotted = replace(made_plotted(["apple"], n_components=1), points=np.zeros((200, 1), "f4"))
    page = Page(render(replace(DATA, pca=pca, plotted=plotted)))
    assert "no variance to explain" in page.text("no-explained-variance")
    assert page.text("share-kept") == "\N{EN DASH}"
    assert page.scripts() == []


def test_the_shares_of_the_variance_say_how_many_components_they_take(page):
    pca = made_pca()
    cells = [has for tag, has, _ in page.elements if tag == "td" and "data-share" in has]
    assert [float(has["data-share"]) for has in cells] == [0.5, 0.8, 0.9, 0.95, 0.99]
    for has in cells:
        n = int(has["data-value"])
        held = pca.explained_variance_ratio
        assert held[:n].sum() >= float(has["data-share"]) > held[: n - 1].sum()


def test_tables_and_plots_can_be_read_without_seeing_them(page):
    assert [has["lang"] for tag, has, _ in page.elements if tag == "html"] == ["en"]
    assert all(has.get("scope") for tag, has, _ in page.elements if tag == "th")
    assert all(has["aria-label"] for _, has, _ in page.elements if "data-figure" in has)
    assert all("alt" in has for tag, has, _ in page.elements if tag == "img")
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.slow
def test_the_page_is_made_from_a_package_inside_a_zip(tmp_path: Path, html: str):
    package = Path(spark_assets.__file__).parent
    archive = tmp_path / "spark_assets.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                zipped.write(path, path.relative_to(package.parent))
    (tmp_path / "data.pickle").write_bytes(pickle.dumps(DATA))
    script = (
        "import pickle, pathlib, spark_assets.report.html_page as page\n"
        "assert '.zip' in page.__file__, page.__file__\n"
        "data = pickle.loads(pathlib.Path('data.pickle').read_bytes())\n"
        "pathlib.Path('index.html').write_text(page.render(data), encoding='utf-8')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(archive)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == html


FIT = FitQuality(
    n_images=120,
    n_not_finite=0,
    share_of_variance_kept=0.912,
    fitted_share_of_variance_kept=0.95,
    median_error=0.2,
    fitted_median_error=0.1,
    p_value=0.01,
    alarm_rate=0.05,
    alarm=True,
    n_unseen_labels=2,
    unseen_labels=["<fig>", "plum"],
    sentence="",
)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Drift: a refit is due (p = 0.01, alarm at 0.05)."),
        ({"alarm": False, "p_value": 0.4}, "No drift (p = 0.4, alarm at 0.05)."),
        ({"alarm": False, "p_value": None}, "Drift not tested: too few images."),
    ],
)
def test_deleted_images_and_the_fit_of_the_pca_are_reported(page, changes, sentence):
    run = replace(DATA.latest_run, counts=replace(DATA.latest_run.counts, n_deleted=3))
    pca = replace(made_pca(), fit=replace(FIT, **changes))
    reported = Page(render(replace(DATA, latest_run=run, pca=pca)))
    assert reported.value("n-deleted") == 3
    text = reported.text("fit")
    assert text.startswith(f"120 new images. {sentence} Variance kept: 91.2 % of the new images,")
    assert text.endswith("2 new labels: <fig>, plum.")
    assert page.with_id("n-deleted") is page.with_id("fit") is None


def test_the_page_in_french_has_the_same_values_and_its_own_words(page):
    french = Page(render(with_hostile_names(DATA), language("fr", "spark_assets.report")))
    english = Page(render(with_hostile_names(DATA)))
    assert [tag for tag, _, _ in french.elements] == [tag for tag, _, _ in english.elements]
    values = [[has.get("data-value") for _, has, _ in each.elements] for each in (french, english)]
    assert values[0] == values[1]
    assert [has["lang"] for tag, has, _ in french.elements if tag == "html"] == ["fr"]
    assert french.text("share-kept") == page.text("share-kept").replace(".", ",")
    assert "Composantes principales" in french.texts("h2")


def test_the_warning_of_seeded_weights_is_translated():
    run = replace(DATA.latest_run, feature_model=made_facts(warning=SEEDED_WARNING))
    html = render(replace(DATA, latest_run=run), language("fr", "spark_assets.report"))
    warning = Page(html).text("warning")
    assert "poids aléatoires et non ceux d" in warning
