"""Fixtures of the tests that run whole things."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.end_to_end.browser import launched_chromium


# Not for the session: while playwright runs, nothing else can start an event loop.
@pytest.fixture(scope="module")
def chromium(starts_processes: None) -> Iterator[Browser]:
    """Return a running browser, for ``browser.open_page``."""
    with launched_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def served_output(
    starts_processes: None, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return an output of real photographs of 12 fruits, with a classifier."""
    output = tmp_path_factory.mktemp("served") / "out"
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    images = data_dir / "fruits-360" / "Training"
    for arguments in (
        ["run", "--images", str(images), "--weights", str(weights), "--alpha", "0.35"],
        ["evaluate"],
    ):
        command = [sys.executable, "-m", "operations.cli", *arguments, "--output", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stderr
    return output
