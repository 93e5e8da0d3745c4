"""The page of ``fruits serve`` in a real browser: a photograph in, its name out."""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, FileChooser, Page, Route, expect

from tests.end_to_end.serving import Served, serving, some
from tests.recognition.hostile import HTML
from tests.recognition.made_service import encoded, fruit

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 360, "height": 640}
# A file in the page, as a drop or a paste brings it.
_FILE = """([content, name, type]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""


@pytest.fixture(scope="module")
def served(served_output: Path) -> Iterator[Served]:
    command = ["operations.cli", "serve", "--output", str(served_output), "--port", "0"]
    with serving(command) as served:
        yield served
    assert served.said == []


@pytest.fixture
def opened(chromium: Browser, served: Served) -> Callable[..., AbstractContextManager]:
    """Return what opens the page, and fails where it complains, stores or asks elsewhere."""

    @contextmanager
    def opening(path: str = "", **options: Any) -> Iterator[Page]:
        context = chromium.new_context(**{"locale": "en-GB", **options})
        page = context.new_page()
        problems: list[str] = []
        asked: list[str] = []
        page.on(
            "console",
            lambda said: problems.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        # Choosers are caught from the first listener on, with a delay.
        page.on("filechooser", lambda chooser: None)
        page.goto(served.url + path)
        expect(page.locator("#plane svg")).to_be_visible()
        yield page
        assert [each for each in problems if "status of 4" not in each] == []
        assert {
            each for each in asked if not each.startswith(("data:", "blob:", served.url))
        } == set()
        assert context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        context.close()

    return opening


@pytest.fixture
def lime(data_dir) -> Path:
    return some(data_dir / "fruits-360" / "Test", "Limes")[0]


@pytest.fixture
def kiwi(data_dir) -> Path:
    return some(data_dir / "fruits-360" / "Test", "Kiwi")[0]


def drop(page: Page, content: bytes, name: str = "a.jpg", kind: str = "image/jpeg") -> None:
    packed = base64.b64encode(content).decode()
    transfer = page.evaluate_handle(_FILE, [packed, name, kind])
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#drop", event, {"dataTransfer": transfer})


def paste(page: Page, content: bytes) -> None:
    packed = base64.b64encode(content).decode()
    transfer = page.evaluate_handle(_FILE, [packed, "image.png", "image/png"])
    page.evaluate(
        """(clipboardData) => document.body.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData, bubbles: true })
        )""",
        transfer,
    )


def expect_answer(page: Page, label: str) -> None:
    expect(page.locator("#answer")).to_be_visible()
    expect(page.locator("#label")).to_have_text(label)
    expect(page.locator("#problem")).to_have_text("")


def assert_fits(page: Page) -> None:
    """Assert that nothing is wider than the screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == page.evaluate("window.innerWidth")


def test_a_dropped_photograph_is_named(opened, lime):
    with opened() as page:
        drop(page, lime.read_bytes())
        expect_answer(page, "Limes")
        expect(page.locator("#probability")).to_have_text(re.compile(r"^Probability (over )?\d+%$"))
        expect(page.locator("#status")).to_have_text(re.compile("^Limes, Probability"))
        neighbors = page.locator("#neighbors li")
        expect(neighbors).to_have_count(5)
        expect(neighbors.first.locator("b")).to_have_text("Limes")
        expect(neighbors.first.locator(".path")).to_have_text(re.compile(r"^Limes/.+\.jpg$"))
        expect(neighbors.first.locator("img")).to_have_js_property("complete", True)
        assert neighbors.first.locator("img").evaluate("img => img.naturalWidth") > 50
        assert page.locator("#photograph").evaluate("img => img.naturalWidth") == 100


def test_a_variety_is_shown_with_its_probability_where_there_is_one(opened, lime):
    shown = {
        "en": "Variety: <b>Key (probability 83%)",
        "fr": "Variété : <b>Key (probabilité 83 %)",
    }
    for language, text in shown.items():
        with opened(f"?lang={language}") as page:
            drop(page, lime.read_bytes())
            expect_answer(page, "Limes")
            expect(page.locator("#variety")).to_be_hidden()

            def name_the_variety(route: Route) -> None:
                answer = route.fetch().json()
                named = {"variety": "<b>Key", "variety_probability": 0.83}
                route.fulfill(json=answer | named)

            page.route("**/identify*", name_the_variety)
            drop(page, lime.read_bytes())
            variety = page.locator("#variety")
            expect(variety).to_be_visible()
            assert re.sub(r"\s", " ", variety.inner_text()) == text
            assert_fits(page)


def test_the_place_of_a_photograph_is_marked_among_the_known_ones(opened, lime):
    with opened() as page:
        expect(page.locator("#plane .point")).to_have_count(480)
        expect(page.locator("#plane .mark")).to_have_count(0)
        expect(page.locator("#legend li")).to_have_count(12)
        drop(page, lime.read_bytes())
        expect_answer(page, "Limes")
        expect(page.locator("#plane .mark")).to_have_text("Your photograph")
        expect(page.locator("#plane .ring")).to_have_count(5)
        summary = page.locator("#plane svg").get_attribute("aria-label") or ""
        assert re.search(r"with your photograph at -?\d+\.\d\d, -?\d+\.\d\d\.$", summary)
        # At once, for the page scrolls to its answer.
        frame, mark = page.evaluate(
            """[".frame", ".mark"].map((name) => {
              const { left, right, top, bottom } = document
                .querySelector(`#plane ${name}`).getBoundingClientRect();
              return { left, right, top, bottom };
            })"""
        )
        assert frame["left"] < mark["left"] < mark["right"] < frame["right"]
        assert frame["top"] < mark["top"] < mark["bottom"] < frame["bottom"]


def test_a_pasted_photograph_is_named(opened, kiwi):
    with opened() as page:
        paste(page, kiwi.read_bytes())
        expect_answer(page, "Kiwi")


def test_one_photograph_after_the_other_and_the_same_again(opened, lime, kiwi):
    with opened() as page:
        for path, label in ((lime, "Limes"), (kiwi, "Kiwi"), (kiwi, "Kiwi")):
            page.set_input_files("#file", path)
            expect_answer(page, label)


def test_of_two_at_once_the_later_one_is_answered(opened, lime, kiwi):
    with opened() as page:
        drop(page, lime.read_bytes())
        drop(page, kiwi.read_bytes())
        expect_answer(page, "Kiwi")


def test_a_drop_beside_the_area_does_not_leave_the_page(opened, lime):
    with opened() as page:
        packed = base64.b64encode(lime.read_bytes()).decode()
        transfer = page.evaluate_handle(_FILE, [packed, "a.jpg", "image/jpeg"])
        page.dispatch_event("#trust-heading", "drop", {"dataTransfer": transfer})
        expect_answer(page, "Limes")


def test_by_keyboard_alone(opened, lime):
    with opened() as page:
        seen = []
        for _ in range(3):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.id || document.activeElement.lang"))
        assert seen == ["en", "fr", "choose"]
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"  # the focus can be seen
        with page.expect_file_chooser() as choosing:
            page.keyboard.press("Enter")
        choosing.value.set_files(lime)
        expect_answer(page, "Limes")
        assert page.evaluate("document.activeElement.id") == "choose"  # and go on from there


def test_a_click_anywhere_in_the_area_chooses_a_file_once(opened, lime):
    with opened() as page:
        choosers: list[FileChooser] = []
        page.on("filechooser", lambda chooser: choosers.append(chooser))
        for n_clicks, target in enumerate(("#drop-heading", "#choose"), start=1):
            with page.expect_file_chooser() as choosing:
                page.click(target)
            choosing.value.set_files(lime)
            expect_answer(page, "Limes")
            assert len(choosers) == n_clicks


@pytest.mark.parametrize("viewport", [PHONE, SMALL_PHONE])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_phone(opened, lime, viewport, language):
    phone = {"viewport": viewport, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with opened(f"?lang={language}", **phone) as page:
        assert_fits(page)
        for button in ("#choose", "#take"):
            box = page.locator(button).bounding_box()
            assert box
            assert box["height"] >= 44  # a finger
        assert page.get_attribute("#camera", "capture") == "environment"
        with page.expect_file_chooser() as choosing:
            page.tap("#take")
        choosing.value.set_files(lime)
        expect_answer(page, "Limes")
        expect(page.locator("#label")).to_be_in_viewport()
        assert_fits(page)


def test_a_computer_offers_no_camera(opened):
    with opened(viewport={"width": 1280, "height": 900}) as page:
        expect(page.locator("#choose")).to_be_visible()
        expect(page.locator("#take")).to_be_hidden()
        assert_fits(page)


def test_in_french(opened, lime):
    with opened(locale="fr-FR") as page:
        assert page.get_attribute("html", "lang") == "fr"
        expect(page.locator("h1")).to_have_text("Identification de fruits")
        drop(page, lime.read_bytes())
        expect_answer(page, "Limes")
        probability = page.locator("#probability")
        expect(probability).to_have_text(re.compile(r"^Probabilité (plus de )?\d+\s%$"))
        similarity = page.locator("#neighbors .similarity").first
        expect(similarity).to_have_text(re.compile(r"^similarité \d,\d\d$"))
        drop(page, HTML, "a.html", "text/html")
        expect(page.locator("#problem")).to_have_text(re.compile("^Format d.image inconnu"))
        page.click("nav a[lang=en]")
        expect(page.locator("h1")).to_have_text("Fruit identification")
        assert page.get_attribute("html", "lang") == "en"


def test_what_is_no_photograph_is_told_and_the_next_one_answered(opened, lime):
    with opened() as page:
        drop(page, HTML, "photograph.jpg", "image/jpeg")
        expect(page.locator("#problem")).to_have_text(re.compile("^Unknown image format"))
        expect(page.locator("#answer")).to_be_hidden()
        assert page.evaluate("window.hacked") is None
        drop(page, lime.read_bytes() + HTML, "a.html", "text/html")
        expect_answer(page, "Limes")
        assert page.evaluate("window.hacked") is None


def test_what_is_unlike_all_known_photographs_is_unknown(opened):
    with opened() as page:
        drop(page, encoded(fruit((20, 60, 230), size_px=300)), "a.png", "image/png")
        expect_answer(page, "Unknown")
        expect(page.locator("#explanation")).to_have_text(
            re.compile(r"^Score -?\d+\.\d\d, threshold .+ known label: (?!undefined)")
        )
        expect(page.locator("#meter")).to_be_hidden()


def test_a_file_that_is_too_large_is_not_even_sent(opened):
    with opened() as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        page.evaluate(
            """() => {
              const transfer = new DataTransfer();
              transfer.items.add(new File([new Uint8Array(21 * 2 ** 20)], "a.jpg"));
              const drop = new DragEvent("drop", { dataTransfer: transfer, bubbles: true });
              document.body.dispatchEvent(drop);
            }"""
        )
        expect(page.locator("#problem")).to_have_text("File too large: the limit is 20 MiB.")
        assert not [url for url in sent if "/identify" in url]


def test_something_dropped_that_is_no_file_is_told(opened):
    with opened() as page:
        transfer = page.evaluate_handle("() => new DataTransfer()")
        page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
        expect(page.locator("#problem")).to_have_text(re.compile("^Not a file"))


def test_a_format_that_the_browser_cannot_show_is_answered_all_the_same(opened, lime):
    with opened() as page:
        drop(page, encoded(Image.open(lime), "TIFF"), "a.tiff", "image/tiff")
        expect_answer(page, "Limes")
        expect(page.locator("#no-preview")).to_be_visible()
        expect(page.locator("#photograph")).to_be_hidden()


def test_a_page_of_another_site_cannot_ask(chromium, served, tmp_path, lime):
    page = chromium.new_page()
    elsewhere = tmp_path / "evil.html"
    elsewhere.write_text("<h1>evil</h1>")
    page.goto(elsewhere.as_uri())
    found = page.evaluate(
        """async (url) => {
          const asked = fetch(url + "identify", { method: "POST", mode: "no-cors", body: "x" });
          const opaque = await asked.then((reply) => reply.type, () => "refused");
          const read = await fetch(url + "health").then(() => "read", () => "refused");
          const frame = Object.assign(document.createElement("iframe"), { src: url });
          document.body.append(frame);
          await new Promise((done) => { frame.onload = done; });
          return [opaque, read, frame.contentDocument === null];
        }""",
        served.url,
    )
    assert found[1] == "refused"
    assert found[0] in ("opaque", "refused")
    page.close()


def test_a_service_that_is_gone_is_told(chromium, served_output, lime):
    command = ["operations.cli", "serve", "--output", str(served_output), "--port", "0"]
    with serving(command) as served:
        page = chromium.new_page(locale="en-GB")
        page.goto(served.url)
        expect(page.locator("#plane svg")).to_be_visible()
    drop(page, lime.read_bytes())
    expect(page.locator("#problem")).to_have_text(re.compile("^The service does not respond"))
    page.close()
