"""What S3 answers when an object cannot be read, from a server that answers so."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spark_assets.images.decoding import ImageLimits, ImageRejected, Reason
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader
from spark_assets.locations import Location, S3Settings
from tests.moto_server import lead_to

CONTENT = b"an image"
# A key that obstore cannot name is boto3's: with either client the sentences are the same.
FOLDERS = ["", "a//"]


class Answers(BaseHTTPRequestHandler):
    """Answers by the name that is asked for: ``403-AccessDenied``, or ``2-503-SlowDown`` twice."""

    protocol_version = "HTTP/1.1"
    requests: Counter[str]
    headers_seen: list[str | None]

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2].partition("?")[0]
        self.requests[f"{self.command} {name}"] += 1
        self.headers_seen.append(self.headers["Authorization"])
        asked = re.fullmatch(r"(?:(\d)-)?(\d{3})-(\w+)", name)
        if asked is None or (asked[1] and self.requests[f"GET {name}"] > int(asked[1])):
            self._answer(200, CONTENT)
        else:
            error = f"<Error><Code>{asked[3]}</Code><Message>no</Message></Error>"
            self._answer(int(asked[2]), error.encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Fri, 27 Nov 2026 12:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch) -> Iterator[ThreadingHTTPServer]:
    Answers.requests, Answers.headers_seen = Counter(), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        lead_to(f"http://127.0.0.1:{server.server_port}", monkeypatch)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def reader(server) -> ImageReader:
    settings = S3Settings("eu-central-1", f"http://127.0.0.1:{server.server_port}")
    return ImageReader(Location("secret-bucket/fruit", settings), limits=ImageLimits())


def refusal(reader: ImageReader, path: str) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        reader(ImageEntry(path, None, None))
    return caught.value


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("403-AccessDenied", "S3 answered ACCESS_DENIED"),
        ("403-InvalidAccessKeyId", "S3 answered ACCESS_DENIED"),
        ("400-ExpiredToken", "S3 answered EXPIRED_TOKEN"),
        ("404-NoSuchKey", "no longer there, or its name is not valid UTF-8"),
        ("404-NoSuchBucket", "no longer there, or its name is not valid UTF-8"),
    ],
)
def test_what_s3_answers_is_told_without_a_place(reader, folder, answer, detail):
    rejected = refusal(reader, f"{folder}{answer}")
    assert (rejected.reason, rejected.detail) == (Reason.UNREADABLE, detail)
    assert Answers.requests == {f"GET {answer}": 1}


def test_what_s3_is_too_busy_for_is_asked_again(reader):
    assert reader(ImageEntry("2-503-SlowDown", None, None)) == CONTENT
    assert Answers.requests == {"GET 2-503-SlowDown": 3}


def test_after_five_tries_it_is_unreadable(reader):
    assert refusal(reader, "9-503-SlowDown").detail == "S3 answered SLOW_DOWN"
    assert Answers.requests == {"GET 9-503-SlowDown": 5}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_server_that_is_not_there_is_one_sentence_without_its_address(server, folder):
    settings = S3Settings("eu-central-1", "http://127.0.0.1:9")
    reader = ImageReader(Location("secret-bucket/fruit", settings), limits=ImageLimits())
    assert refusal(reader, f"{folder}1.jpg").detail == "S3 answered NETWORK_CONNECTION"


def test_requests_are_signed_for_the_region_of_the_run_by_the_keys_of_boto3(reader):
    """The environment of the test names another region."""
    reader(ImageEntry("1.jpg", None, None))
    (signature,) = Answers.headers_seen
    assert signature is not None
    assert "Credential=test/" in signature
    assert "/eu-central-1/s3/aws4_request" in signature


def test_without_credentials_requests_go_unsigned(server, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    settings = S3Settings("eu-west-3", f"http://127.0.0.1:{server.server_port}")
    reader = ImageReader(Location("public-bucket", settings), limits=ImageLimits())
    assert reader(ImageEntry("1.jpg", None, None)) == CONTENT
    assert Answers.headers_seen == [None]
