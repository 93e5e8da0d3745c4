"""The service on a socket: predictions, refusals, headers, limits and hostile requests."""

import asyncio
import dataclasses
import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from http.client import HTTPConnection, HTTPResponse

import pytest

from recognition.service.service_errors import ServiceError
from recognition.service.web_app import SECURITY_HEADERS
from recognition.service.web_page import ASSETS
from spark_assets.text.printable import printable
from tests.made_report import HOSTILE_NAMES
from tests.recognition.hostile import DAMAGED, NO_IMAGES, POLYGLOTS, png_of
from tests.recognition.made_service import (
    COLOURS,
    LIMITS,
    N_OF_LABEL,
    MadeService,
    Reply,
    encoded,
    fruit,
    made_service,
    photograph,
)

APPLE = photograph("apple")


@pytest.fixture(scope="module")
def shared(colours) -> Iterator[MadeService]:
    with made_service(colours) as service:
        yield service


@pytest.fixture
def service(shared, capfd) -> Iterator[MadeService]:
    """Return a service that afterwards works, and has printed and reported nothing."""
    yield shared
    assert shared.identify(APPLE).json["label"] == "apple"
    assert shared.errors == []
    assert capfd.readouterr() == ("", "")


def refusal(reply: Reply) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"error", "message", "detail"}
    assert reply.json["message"]
    return reply.status, reply.json["error"]


def page_data(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("label", COLOURS)
def test_a_prediction_has_the_nearest_photographs_and_a_point(service, label):
    reply = service.identify(photograph(label))
    prediction = reply.json
    assert reply.status == 200
    assert prediction["label"] == prediction["top_label"] == label
    assert 0.8 < prediction["probability"] < 1.0
    assert len(prediction["point"]) == 2
    assert len(prediction["neighbors"]) == 5
    known = page_data(service.get("/").text)["known"]
    for neighbor in prediction["neighbors"]:
        assert neighbor["label"] == label
        assert neighbor["similarity"] > 0.98
        assert neighbor["path"].startswith(f"{label}/")
        assert known["labels"][known["label_of"][neighbor["row"]]] == label
        thumbnail = neighbor["thumbnail"]
        assert thumbnail is None or thumbnail.startswith("data:image/jpeg;base64,/9j/")
    assert any(neighbor["thumbnail"] for neighbor in prediction["neighbors"])


def test_a_photograph_below_the_threshold_is_unknown(service):
    prediction = service.identify(encoded(fruit((60, 80, 200)))).json
    assert prediction["label"] is None
    assert prediction["top_label"] in COLOURS


def test_8_clients_at_once_get_8_right_predictions(service):
    labels = [list(COLOURS)[n % 3] for n in range(8)]
    at_once = threading.Barrier(8)

    def label_of(n: int) -> str:
        at_once.wait()
        return service.identify(photograph(labels[n], n)).json["label"]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(label_of, range(8))) == labels


def test_a_connection_is_kept_for_the_next_request(service):
    connection = HTTPConnection("127.0.0.1", service.port, timeout=60)
    for label in COLOURS:
        connection.request("POST", "/identify", photograph(label))
        assert json.loads(connection.getresponse().read())["label"] == label
    connection.close()


# Hostile photographs.


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_polyglot_is_a_photograph_and_no_more(service, name):
    reply = service.identify(POLYGLOTS[name], content_type="text/html")
    assert reply.json["label"] == "apple"
    assert reply.headers["content-type"] == "application/json"
    assert b"script" not in reply.body


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        *((content, {(415, "not_an_image")}) for content in NO_IMAGES.values()),
        *((content, {(422, "truncated"), (415, "not_an_image")}) for content in DAMAGED.values()),
        (b"", {(422, "empty")}),
    ],
)
def test_other_content_is_refused_whatever_its_declared_type(service, content, expected):
    assert refusal(service.identify(content, content_type="image/jpeg")) in expected


def test_too_many_pixels_are_refused_before_they_are_decoded(service):
    reply = service.identify(png_of(20_000, 20_000, rows=b""))
    assert refusal(reply) == (422, "too_large")
    assert "limit is 1 megapixels" in reply.json["message"]
    assert reply.json["detail"].startswith("20000 x 20000 pixels")


def test_no_part_of_a_photograph_is_stored(service, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    service.identify(photograph("apple", comment=b"somebody's garden"))
    assert list(tmp_path.iterdir()) == []


# Limits.


def connected(service: MadeService, head: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    client.sendall(head)
    return client


def upload(*lines: str) -> bytes:
    return "\r\n".join(["POST /identify HTTP/1.1", "host: 127.0.0.1", *lines, "", ""]).encode()


def response(client: socket.socket) -> tuple[int, bytes]:
    with client:
        found = HTTPResponse(client)
        found.begin()
        return found.status, found.read()


def test_a_body_that_is_declared_too_long_is_refused_unread(service):
    status, body = response(connected(service, upload(f"content-length: {LIMITS.max_bytes + 1}")))
    assert (status, json.loads(body)["error"]) == (413, "too_many_bytes")


def test_a_body_of_unknown_length_is_counted(service):
    client = connected(service, upload("transfer-encoding: chunked"))
    for _ in range(LIMITS.max_bytes // 0x8000 + 1):
        client.sendall(b"8000\r\n" + bytes(0x8000) + b"\r\n")
    status, body = response(client)
    assert (status, json.loads(body)["error"]) == (413, "too_many_bytes")


def test_a_body_that_does_not_arrive_in_time_is_refused(colours):
    with made_service(colours, dataclasses.replace(LIMITS, body_seconds=0.05)) as service:
        client = connected(service, upload("content-length: 1000") + b"\xff")
        status, body = response(client)
    assert (status, json.loads(body)["error"]) == (408, "too_slow")
    assert "0.05 s" in json.loads(body)["message"]


def test_one_photograph_too_many_is_refused_and_the_others_are_answered(colours):
    first_has_begun, go_on = threading.Event(), asyncio.Event()
    loops = []

    async def identify(content):
        loops.append(asyncio.get_running_loop())
        first_has_begun.set()
        await go_on.wait()
        raise ServiceError("took_too_long")

    limits = dataclasses.replace(LIMITS, max_concurrent=1)
    with made_service(colours, limits, identify=identify) as service, ThreadPoolExecutor() as pool:
        first = pool.submit(service.identify, APPLE)
        assert first_has_begun.wait(60)
        refused = service.identify(APPLE)
        assert refusal(refused) == (503, "busy")
        assert refused.headers["retry-after"] == "2"
        assert service.get("/health").status == 200
        loops[0].call_soon_threadsafe(go_on.set)
        assert refusal(first.result(60)) == (422, "took_too_long")
        assert refusal(service.identify(APPLE)) == (422, "took_too_long")  # and not busy


def test_one_connection_too_many_is_refused(colours):
    with made_service(colours, dataclasses.replace(LIMITS, n_connections=3)) as service:
        idle = [connected(service, b"") for _ in range(3)]
        refused = service.get("/health")
        assert refused.status == 503
        assert SECURITY_HEADERS.items() <= refused.headers.items()
        for client in idle:
            client.close()


def test_a_client_that_disconnects_is_no_error(service):
    connected(service, upload("content-length: 1000") + b"\xff").close()


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET\r\n\r\n",
        upload("content-length: -1"),
        upload("content-length: 0", "content-length: 1"),
        upload("transfer-encoding: chunked") + b"zz\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"y" * 40_000,  # a head without an end
    ],
)
def test_what_is_not_http_is_refused(service, head):
    status, body = response(connected(service, head))
    assert status == 400
    assert b"Traceback" not in body


# Errors.


def test_an_unexpected_error_is_a_sentence_without_a_stack_trace(colours, capfd):
    async def identify(content):
        raise ZeroDivisionError("secret")

    with made_service(colours, identify=identify) as service:
        reply = service.identify(APPLE)
    assert refusal(reply) == (500, "failed")
    assert b"secret" not in reply.body
    assert SECURITY_HEADERS.items() <= reply.headers.items()
    assert [type(each) for each in service.errors] == [ZeroDivisionError]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/assets/web_page.py", (404, "not_found")),
        ("GET", "/assets/..%2Fweb_page.py", (404, "not_found")),
        ("GET", "/assets/../page.html", (404, "not_found")),
        ("GET", "/identify", (405, "method_not_allowed")),
        ("DELETE", "/", (405, "method_not_allowed")),
    ],
)
def test_other_addresses_are_refused(service, method, path, expected):
    assert refusal(service.request(method, path)) == expected


# Who may ask.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": "http://127.0.0.1:8000", "host": "127.0.0.1:8000"}, 200),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, 200),
        ({"origin": "http://[::1]:8000", "host": "[::1]:8000"}, 200),
        ({"host": "127.0.0.1:8000", "sec_fetch_site": "same-origin"}, 200),
        ({"origin": "http://127.0.0.1:9000", "host": "127.0.0.1:8000"}, 403),
        ({"origin": "http://localhost:8000", "host": "127.0.0.1:8000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_a_post_from_another_site_is_refused(service, headers, status):
    reply = service.identify(APPLE, **headers)
    assert reply.status == status
    if status != 200:
        assert refusal(reply) == (403, "other_site")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "user@evil.example",
        "192.168.1.7:8000",
        "[::1",
        "",
    ],
)
def test_another_host_name_is_refused(service, host):
    assert service.get("/", host=host).status == 400
    assert service.identify(APPLE, host=host).status == 400


def test_in_a_network_every_address_is_served_and_no_foreign_name(colours):
    own = socket.gethostname()
    with made_service(colours, host="0.0.0.0") as service:
        for host in ("192.168.1.7:8000", "[fd00::7]:8000", "localhost:8000", own, f"{own}.local"):
            assert service.get("/", host=host).status == 200, host
        for host in ("evil.example", "192.168.1.7.evil.example", "[::1", "a b"):
            assert service.get("/", host=host).status == 400, host


# The page.


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/identify", "/assets/page.js"])
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_every_response_has_the_security_headers(service, path, host):
    headers = service.get(path, host=host).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in headers


def test_the_page_loads_the_assets_of_the_service_and_holds_no_script(service):
    html = service.get("/").text
    loaded = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', html))
    imported = set(re.findall(r'from "(/assets/[^"]+)"', service.get("/assets/page.js").text))
    assert loaded | imported == {f"/assets/{name}" for name in ASSETS}
    for name, kind in ASSETS.items():
        assert service.get(f"/assets/{name}").headers["content-type"] == f"{kind}; charset=utf-8"
    scripts = re.findall(r"<script([^>]*)>", html)
    assert all("src=" in each or 'type="application/json"' in each for each in scripts)
    assert not re.search(r"\sstyle=|\son[a-z]+=", html)


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/", "", "en"),
        ("/", "fr", "fr"),
        ("/", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("/", "de,en;q=0.5,fr;q=0.4", "en"),
        ("/", "en;q=0.3, fr;q=0.7", "fr"),
        ("/", "fr;q=0", "en"),
        ("/", "fr;q=x, *", "en"),
        ("/?lang=fr", "en", "fr"),
        ("/?lang=en", "fr", "en"),
        ("/?lang=xx", "fr", "fr"),
    ],
)
def test_the_language_is_that_of_the_link_or_of_the_browser(service, path, accepted, language):
    reply = service.get(path, accept_language=accepted)
    assert f'<html lang="{language}">' in reply.text
    assert reply.headers["content-language"] == language
    assert reply.headers["vary"] == "accept-language"
    assert f'lang="{language}" hreflang="{language}" aria-current="true"' in reply.text


def test_an_error_is_in_the_language_of_the_page(service):
    assert service.request("POST", "/identify?lang=fr").json["message"] == "Le fichier est vide."


def test_the_page_shows_the_accuracy(service):
    html = service.get("/").text
    data = page_data(html)
    about = data["about"]
    assert (about["accuracy"], about["accuracy_low"], about["accuracy_high"]) == (0.9, 0.8, 0.95)
    assert about["n_labels"] == len(data["known"]["labels"]) == 3
    assert len(data["known"]["points"]) == len(data["known"]["label_of"]) == 3 * N_OF_LABEL
    assert data["limits"]["max_bytes"] == LIMITS.max_bytes
    assert 'id="warning"' not in html


def test_hostile_labels_paths_and_warnings_are_text(colours):
    hostile = "".join(HOSTILE_NAMES)
    renamed = colours.renamed(lambda label: f"{label}{hostile}")
    renamed.record = dataclasses.replace(colours.record, warning=hostile)
    with made_service(renamed) as service:
        prediction = service.identify(APPLE).json
        html = service.get("/?lang=fr").text
    shown = printable(f"apple{hostile}")
    assert prediction["label"] == prediction["neighbors"][0]["label"] == shown
    assert prediction["neighbors"][0]["path"].startswith(f"{shown}/")
    assert page_data(html)["known"]["labels"][0] == shown
    in_list = re.search(r'<ul id="labels"><li>(.*?)</li>', html)
    warning = re.search(r"<p>(.*?)</p>", html)
    assert in_list
    assert warning
    assert unescape(in_list[1]) == shown
    assert unescape(warning[1]) == printable(hostile)
    assert html.count("<script") == html.count("</script>") == 2
