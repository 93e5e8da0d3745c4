"""The report page in a real browser."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from spark_assets.report.html_page import render
from spark_assets.report.report_data import PlottedImages, ReportData
from spark_assets.text.printable import printable
from tests.end_to_end.browser import OpenedPage, open_page
from tests.made_report import (
    HOSTILE_NAMES,
    NO_LABEL,
    made_pca,
    made_plotted,
    made_report,
    with_hostile_names,
)

DATA = made_report()
# Where a point of the 3D plot is on the screen, from plotly's own camera; and how near its nearest
# neighbour is.
_MOST_ISOLATED_POINT_OF_3D = """() => {
  const plot = document.getElementById("plot-first-three");
  const scene = plot._fullLayout.scene._scene;
  const { projection, view, model } = scene.glplot.cameraParams;
  const row = (m, v, r) => v.reduce((sum, x, column) => sum + m[4 * column + r] * x, 0);
  const times = (v, m) => [0, 1, 2, 3].map((r) => row(m, v, r));
  const box = scene.container.getBoundingClientRect();
  const points = plot._fullData.flatMap((trace) => Array.from(trace.x, (_, i) => {
    const at = [trace.x[i], trace.y[i], trace.z[i]].map((x, axis) => x * scene.dataScale[axis]);
    const [x, y, , w] = [model, view, projection].reduce(times, [...at, 1]);
    return {
      row: trace.customdata[i],
      x: box.x + (1 + x / w) / 2 * box.width,
      y: box.y + (1 - y / w) / 2 * box.height,
    };
  }));
  const apart = (p, q) => p === q ? Infinity : Math.hypot(p.x - q.x, p.y - q.y);
  const room = (p) => Math.min(...points.map((q) => apart(p, q)));
  return points.reduce((best, p) => room(p) > room(best) ? p : best);
}"""


@pytest.fixture(scope="module")
def report(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedPage]:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render(DATA), encoding="utf-8")
    with open_page(chromium, path) as opened:
        yield opened


@pytest.fixture
def opened_report(chromium: Browser, tmp_path: Path) -> Callable[..., AbstractContextManager]:
    def opened(data: ReportData, **window: int) -> AbstractContextManager[OpenedPage]:
        path = tmp_path / "index.html"
        path.write_text(render(data), encoding="utf-8")
        return open_page(chromium, path, **window)

    return opened


def hover_over_row(opened: OpenedPage, row: int) -> tuple[Locator, dict[str, float]]:
    """Point at one image of the 2D plot; return the card, and where the pointer is."""
    place = opened.page.evaluate(
        """async (row) => {
          const plot = document.getElementById("plot-first-two");
          plot.scrollIntoView({ block: "center" });
          // A scrolled page hides the card, one frame later.
          for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          for (const trace of plot._fullData) {
            const i = Array.from(trace.customdata).indexOf(row);
            if (i < 0) continue;
            const x = box.x + xaxis._offset + xaxis.d2p(trace.x[i]);
            return { x, y: box.y + yaxis._offset + yaxis.d2p(trace.y[i]) };
          }
        }""",
        row,
    )
    opened.page.mouse.move(place["x"] - 3, place["y"])
    opened.page.mouse.move(place["x"], place["y"])
    card = opened.page.locator("#card")
    expect(card).to_be_visible()
    return card, place


def most_isolated(plotted: PlottedImages, rows: list[int]) -> int:
    """Return the row whose point has the most room around it, so that no other can be meant."""
    points = plotted.points[:, :2]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return max(rows, key=lambda row: distances[row].min())


def test_the_page_complains_of_nothing_and_asks_for_nothing(report):
    assert report.plots() == ["explained-variance", "first-two", "first-three"]
    assert report.problems == []
    assert report.requests == []


def test_every_number_is_the_one_given(report):
    run, pca, plotted = DATA.latest_run, DATA.pca, DATA.plotted
    assert pca is not None
    assert plotted is not None
    expected = {
        "n-images": run.counts.n_images,
        "n-features": run.counts.n_features,
        "n-rejected": run.counts.n_rejected,
        "n-known": run.counts.n_known,
        "n-components": pca.n_components,
        "n-samples": pca.n_samples,
        "share-kept": pca.share_kept,
        "images-per-second": run.images_per_second,
        "n-points": len(plotted.paths),
        "n-reduced": plotted.n_reduced,
    }
    assert {name: report.value(name) for name in expected} == expected
    assert report.page.locator("#n-known").inner_text() == "1,234"


def test_the_variance_plot_marks_the_chosen_number_of_components(report):
    plot = report.page.locator("#plot-explained-variance")
    assert report.n_marks("explained-variance") == 40 + 1  # the spectrum, and the chosen number
    expect(plot.locator(".annotation")).to_contain_text("12 components")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".points path.point").nth(4).bounding_box()
    assert box is not None
    report.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(plot.locator(".hoverlayer")).to_contain_text("first 5 components: 67.2%")


def test_the_plot_of_two_components_shows_every_point(report):
    assert report.n_marks("first-two") == 200
    legend = report.page.locator("#plot-first-two .legendtext")
    assert legend.all_text_contents()[-1] == NO_LABEL
    assert legend.count() == 8


def test_the_plot_of_three_components_is_not_blank(report):
    plot = report.page.locator("#plot-first-three")
    assert plot.locator("canvas").count() >= 1
    plot.scroll_into_view_if_needed()
    report.page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(plot.screenshot())).convert("RGB")
    left = picture.crop((0, 0, int(picture.width * 0.8), picture.height))  # without the legend
    colours = {colour: n for n, colour in left.getcolors(1 << 24) or []}
    for marker_colour in ((0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00), (0x00, 0x9E, 0x73)):
        near = sum(
            n
            for c, n in colours.items()
            if max(abs(a - b) for a, b in zip(c, marker_colour, strict=True)) < 30
        )
        assert near > 200, marker_colour


@pytest.mark.parametrize("has_thumbnail", [True, False])
def test_pointing_at_an_image_shows_its_thumbnail_path_and_label(report, has_thumbnail):
    plotted = DATA.plotted
    assert plotted is not None
    rows = [i for i, uri in enumerate(plotted.thumbnails) if (uri is not None) == has_thumbnail]
    row = most_isolated(plotted, rows)
    card, _ = hover_over_row(report, row)
    expect(card.locator("#card-path")).to_have_text(plotted.paths[row])
    expect(card.locator("#card-label")).to_have_text(plotted.labels[row] or NO_LABEL)
    if has_thumbnail:
        picture = card.locator("img")
        expect(picture).to_have_attribute("src", plotted.thumbnails[row] or "")
        expect(picture).to_have_js_property("naturalWidth", 24)
    else:
        expect(card.locator("img")).to_be_hidden()
        expect(card.locator("#card-no-thumbnail")).to_be_visible()
    frame = report.page.locator("#plot-first-two").bounding_box()
    assert frame is not None
    report.page.mouse.move(frame["x"] + 4, frame["y"] + 4)  # in the plot, at no image
    expect(card).to_be_hidden()
    assert report.problems == []


def test_pointing_at_an_image_in_three_dimensions_shows_it_too(report):
    plotted = DATA.plotted
    assert plotted is not None
    report.page.locator("#plot-first-three").scroll_into_view_if_needed()
    point = report.page.evaluate(_MOST_ISOLATED_POINT_OF_3D)
    report.page.mouse.move(point["x"] - 2, point["y"])
    report.page.mouse.move(point["x"], point["y"])
    card = report.page.locator("#card")
    expect(card).to_be_visible()
    expect(card.locator("#card-path")).to_have_text(plotted.paths[point["row"]])
    report.page.mouse.move(0, 0)
    expect(card).to_be_hidden()


def test_the_escape_key_puts_the_card_away(report):
    card, _ = hover_over_row(report, 0)
    report.page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_the_card_stays_in_the_window_and_beside_the_pointer(opened_report):
    plotted = DATA.plotted
    assert plotted is not None
    # So narrow that there is no room to the right of some images.
    with opened_report(DATA, width=800, height=640) as opened:
        for extreme in (plotted.points.argmax(axis=0)[0], plotted.points.argmin(axis=0)[1]):
            card, pointer = hover_over_row(opened, int(extreme))
            box = card.bounding_box()
            assert box is not None
            right, bottom = box["x"] + box["width"], box["y"] + box["height"]
            assert box["x"] >= 0
            assert box["y"] >= 0
            assert right <= 800
            assert bottom <= 640
            assert not (box["x"] <= pointer["x"] <= right and box["y"] <= pointer["y"] <= bottom)
            opened.page.mouse.move(0, 0)


def test_a_plot_can_be_saved_as_a_picture(report):
    for name in report.plots():
        uri = report.page.evaluate(
            "id => Plotly.toImage(document.getElementById(id), { format: 'png' })", f"plot-{name}"
        )
        assert uri.startswith("data:image/png;base64,"), name
        assert len(uri) > 10_000, name
    assert report.problems == []


def test_no_button_sends_the_plot_away(report):
    titles = report.page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map((button) => button.dataset.title ?? button.dataset.attr)"
    )
    assert len(titles) == 12
    assert not [title for title in titles if "loud" in title or "hare" in title]


def test_the_browser_refuses_every_way_out(opened_report):
    with opened_report(replace(DATA, plotted=None)) as opened:
        refused = opened.page.evaluate(
            """async () => {
              const refused = [];
              const note = (event) => refused.push(event.effectiveDirective);
              document.addEventListener("securitypolicyviolation", note);
              const away = "http://127.0.0.1:9/";
              await fetch(away).catch(() => {});
              const make = (tag) => document.createElement(tag);
              const add = (tag, values) => document.body.append(Object.assign(make(tag), values));
              add("img", { src: away });
              add("script", { src: away });
              add("script", { textContent: "window.hacked = 9" });
              add("iframe", { src: away });
              add("link", { rel: "stylesheet", href: away });
              add("div", { innerHTML: "<img src=x onerror='window.hacked = 9'>" });
              const deadline = Date.now() + 10_000;
              while (refused.length < 8 && Date.now() < deadline) {
                await new Promise((done) => setTimeout(done, 10));
              }
              return [...new Set(refused)].sort();
            }"""
        )
        assert refused == [
            "connect-src",
            "frame-src",
            "img-src",
            "script-src-attr",
            "script-src-elem",
            "style-src-elem",
        ]
        assert opened.page.evaluate("window.hacked") is None


def test_hostile_names_are_shown_and_never_run(opened_report):
    data = with_hostile_names(DATA)
    assert data.plotted is not None
    with opened_report(data) as opened:
        assert opened.n_marks("first-two") == 200
        n_labels = len(HOSTILE_NAMES) + 1
        for i, name in enumerate(HOSTILE_NAMES):
            row = most_isolated(data.plotted, list(range(i, 200, n_labels)))
            card, _ = hover_over_row(opened, row)
            expect(card.locator("#card-label")).to_have_text(printable(name))
            expect(card.locator("#card-path")).to_have_text(printable(data.plotted.paths[row]))
            opened.page.mouse.move(0, 0)
            expect(card).to_be_hidden()
        legend = opened.page.locator("#plot-first-two .legendtext").all_text_contents()
        assert "<img src=x onerro\N{HORIZONTAL ELLIPSIS}ed = 2'>" in legend
        assert opened.page.locator(".plot a, .plot img, main img, main a").count() == 0
        rejected = opened.page.locator("#rejected tbody th").all_inner_texts()
        assert rejected == [printable(f"{name}/{name}") for name in HOSTILE_NAMES]
        assert opened.page.evaluate("window.hacked") is None
        assert opened.problems == []
        assert opened.requests == []


def test_131_labels_have_a_legend_that_scrolls(opened_report):
    labels = tuple(f"variety {i:03d}" for i in range(131))
    with opened_report(made_report(labels=labels, n_points=262)) as opened:
        assert opened.n_marks("first-two") == 262
        for plot in ("first-two", "first-three"):
            bar = opened.page.locator(f"#plot-{plot} .legend .scrollbar").bounding_box()
            frame = opened.page.locator(f"#plot-{plot}").bounding_box()
            assert bar is not None
            assert frame is not None
            assert bar["height"] > 0
            assert bar["x"] + bar["width"] <= frame["x"] + frame["width"]
        assert opened.problems == []


def test_plots_keep_their_height_when_the_window_is_made_narrow_and_wide_again(opened_report):
    with opened_report(DATA) as opened:
        opened.page.evaluate(
            """() => {
              window.nResized = 0;
              const plots = document.querySelectorAll("[data-figure]");
              plots.forEach((plot) => plot.on("plotly_relayout", () => { window.nResized += 1; }));
            }"""
        )
        for n_times, width in enumerate((600, 390, 1280), start=1):
            opened.page.set_viewport_size({"width": width, "height": 900})
            # Plotly follows the window with a delay.
            opened.page.wait_for_function("n => window.nResized >= n", arg=3 * n_times)
            for name in opened.plots():
                frame = opened.page.locator(f"#plot-{name}").bounding_box()
                drawn = opened.page.locator(f"#plot-{name} svg.main-svg").first.bounding_box()
                assert frame is not None
                assert drawn is not None
                assert drawn["width"] == pytest.approx(frame["width"], abs=1)
                assert drawn["height"] == pytest.approx(frame["height"], abs=1)
                assert drawn["height"] >= 400
        assert opened.problems == []


def test_on_a_telephone_nothing_is_wider_than_the_screen(opened_report):
    with opened_report(with_hostile_names(DATA), width=390, height=844) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
        assert opened.problems == []


def test_a_report_without_any_usable_image_opens_without_plots(opened_report):
    data = replace(DATA, pca=None, plotted=None)
    with opened_report(data) as opened:
        assert opened.plots() == []
        expect(opened.page.locator("#no-pca")).to_be_visible()
        assert opened.problems == []


@pytest.mark.parametrize(
    ("n_components", "plots"),
    [(1, ["explained-variance"]), (2, ["explained-variance", "first-two"])],
)
def test_with_few_components_the_other_plots_are_drawn(opened_report, n_components, plots):
    plotted = made_plotted(["apple", None], n_components=n_components)
    data = replace(DATA, pca=made_pca(n_components=n_components), plotted=plotted)
    with opened_report(data) as opened:
        assert opened.plots() == plots
        expect(opened.page.locator("#no-first-three")).to_be_visible()
        assert opened.problems == []
