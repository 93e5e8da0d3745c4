"""Fixtures of the tests that run whole things."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.end_to_end.browser import launched_chromium


# Not for the session: while playwright runs, nothing else can start an event loop.
@pytest.fixture(scope="module")
def chromium(starts_processes: None) -> Iterator[Browser]:
    """Return a running browser, for ``browser.open_page``."""
    with launched_chromium() as browser:
        yield browser
