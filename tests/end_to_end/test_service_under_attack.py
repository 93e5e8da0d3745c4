"""The service with real photographs and those who mean no good: answers, and bounded memory."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from recognition.service.limits import MIB
from tests.end_to_end.serving import Served, serving, some
from tests.end_to_end.short_service import LIMITS
from tests.recognition.hostile import (
    jpeg_of_scans,
    png_of,
)
from tests.recognition.made_service import encoded, fruit

pytestmark = pytest.mark.slow

# Two workers, each within its limit; the service itself; and all photographs that it receives.
MOST_BYTES = (
    2 * (130 * MIB + LIMITS.worker_bytes) + 200 * MIB + LIMITS.max_concurrent * LIMITS.max_bytes
)
# After what was too much, when nothing is under way.
REST_BYTES = 800 * MIB


@pytest.fixture(scope="module")
def served(served_output: Path) -> Iterator[Served]:
    command = ["tests.end_to_end.short_service", str(served_output)]
    with serving(command, end=signal.SIGTERM) as served:
        yield served
    assert served.said == []  # nothing of any request, nor of any error


@pytest.fixture
def good(data_dir) -> tuple[bytes, str]:
    return some(data_dir / "fruits-360" / "Test", "Limes")[0].read_bytes(), "Limes"


@pytest.fixture(autouse=True)
def stays_well(served, good) -> Iterator[None]:
    """After each test, it answers, in bounded memory."""
    yield
    content, label = good
    status, answer = served.identify(content)
    assert (status, answer["label"]) == (200, label)
    assert served.now_bytes() < REST_BYTES
    assert served.most_bytes < MOST_BYTES


@cache
def transparent(size_px: int) -> bytes:
    """Return a square of pixels that all have to be laid over white."""
    return png_of(size_px, size_px, colour_type=6)


def refused(served: Served, content: bytes, **headers: str) -> tuple[int, str]:
    status, answer = served.identify(content, **headers)
    assert answer["message"]
    return status, answer["error"]


def test_8_clients_at_once_get_8_right_answers(served, data_dir):
    folder = data_dir / "fruits-360" / "Test"
    labels = sorted(path.name for path in folder.iterdir())[:8]
    at_once = threading.Barrier(8)

    def ask(label: str) -> str:
        (path,) = some(folder, label)
        at_once.wait()
        status, answer = served.identify(path.read_bytes())
        assert status == 200, answer
        return answer["label"]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, labels)) == labels


@pytest.mark.parametrize(
    ("name", "bomb", "expected"),
    [
        ("a PNG of 20000 x 20000", lambda: png_of(20_000, 20_000, rows=b""), (422, "too_large")),
        ("scans without end", lambda: jpeg_of_scans(7000, 7000, 250_000), (422, "took_too_long")),
        (
            "transparent pixels that take 1 GiB",
            lambda: transparent(7000),
            (422, "too_large"),
        ),
        ("more bytes than allowed", lambda: bytes(LIMITS.max_bytes + 1), (413, "too_many_bytes")),
        ("as many bytes as allowed", lambda: bytes(LIMITS.max_bytes), (415, "not_an_image")),
    ],
)
def test_bombs_are_refused(served, name, bomb, expected):
    status, reason = refused(served, bomb())
    # Beside other tests, what takes memory may take too long before.
    assert (status, reason) == expected or reason == "took_too_long", name


def test_bombs_from_8_clients_at_once_are_all_answered(served):
    bombs = [
        png_of(20_000, 20_000, rows=b""),
        transparent(7000),
        encoded(fruit((9, 9, 9)).resize((7000, 7000)), "JPEG"),
        bytes(LIMITS.max_bytes),
    ]
    with ThreadPoolExecutor(8) as threads:
        statuses = [status for status, _ in threads.map(served.identify, bombs * 2)]
    assert set(statuses) <= {200, 415, 422, 503}
    assert len(statuses) == 8
