"""A real headless browser for tests of a page: what it draws, complains of and asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.conftest import skip_or_fail

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    "--no-sandbox",  # root has no user namespace to make a sandbox in
    # WebGL without a graphics card, for the 3D plot.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # No traffic of its own.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
# Hints on plotly's own speed, which nobody else can act upon.
_HARMLESS = ("willReadFrequently", "GPU stall due to ReadPixels")


@dataclass
class OpenedPage:
    """A page in the browser, and what it did.

    ``problems`` holds console warnings and errors and uncaught exceptions; ``requests`` every URL
    asked for, without the page itself and what it carries inside (``data:``, ``blob:``).
    """

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def value(self, element_id: str) -> float:
        """Return the bare number behind what the element with this id shows."""
        return float(self.page.locator(f"#{element_id}").get_attribute("data-value") or "nan")

    def plots(self) -> list[str]:
        """Return the names of the plots on the page, which are all drawn."""
        found = self.page.locator("[data-figure]").all()
        return [plot.get_attribute("data-figure") or "" for plot in found]

    def n_marks(self, plot: str) -> int:
        """Return how many points a plot of two dimensions shows."""
        return self.page.locator(f"#plot-{plot} .points path.point").count()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("debug", "info", "log"):
            return
        if not any(harmless in message.text for harmless in _HARMLESS):
            self.problems.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")) and request.url != self.url:
            self.requests.append(request.url)


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, or skip with the line that installs it; one at a time."""
    if not CHROMIUM.exists():
        skip_or_fail(f"there is no {CHROMIUM}; install it with: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    chromium: Browser, path: Path, *, width: int = 1280, height: int = 900
) -> Iterator[OpenedPage]:
    """Open a report in a browser window of its own and yield it once all its plots are drawn."""
    page = chromium.new_page(viewport={"width": width, "height": height})
    try:
        opened = OpenedPage(page, url=path.resolve().as_uri())
        page.on("console", opened._heard)
        page.on("pageerror", lambda error: opened.problems.append(f"exception: {error}"))
        page.on("request", opened._asked)
        page.goto(opened.url)
        n_plots = page.locator("[data-figure]").count()
        if n_plots:
            page.wait_for_function("n => document.body.dataset.drawn === String(n)", arg=n_plots)
        yield opened
    finally:
        page.close()
