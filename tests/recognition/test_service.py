"""The service, asked without a socket: answers, refusals, and what goes with each."""

import asyncio
import dataclasses
import json
import re
from html import unescape

import pytest

from recognition.service.limits import ServiceLimits
from recognition.service.page import ASSETS
from recognition.service.refusals import took_too_long
from spark_assets.images.rejection import ImageRejected, Reason
from spark_assets.text.printable import printable
from tests.made_report import HOSTILE_NAMES
from tests.recognition.hostile import DAMAGED, NO_IMAGES, POLYGLOTS, png_of
from tests.recognition.made_service import (
    COLOURS,
    LIMITS,
    N_OF_LABEL,
    MadeService,
    ask,
    encoded,
    fruit,
    photograph,
)


@pytest.fixture
def service(colours) -> MadeService:
    return MadeService(colours)


def refusal(reply) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"refused", "sentence", "detail"}
    assert reply.json["sentence"]
    return reply.status, reply.json["refused"]


def page_data(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("label", COLOURS)
def test_a_photograph_is_named_with_the_nearest_ones_and_its_place(service, label):
    reply = service.identify(photograph(label))
    answer = reply.json
    assert reply.status == 200
    assert answer["label"] == answer["top_label"] == label
    assert 0.8 < answer["probability"] < 1.0
    assert len(answer["point"]) == 2
    assert len(answer["neighbors"]) == 5
    known = page_data(service.ask("GET", "/").text)["known"]
    for neighbor in answer["neighbors"]:
        assert neighbor["label"] == label
        assert neighbor["similarity"] > 0.98
        assert neighbor["path"].startswith(f"{label}/")
        assert known["labels"][known["label_of"][neighbor["row"]]] == label
        thumbnail = neighbor["thumbnail"]
        assert thumbnail is None or thumbnail.startswith("data:image/jpeg;base64,/9j/")
    assert any(neighbor["thumbnail"] for neighbor in answer["neighbors"])


def test_what_is_far_from_all_known_photographs_is_unknown(service):
    answer = service.identify(encoded(fruit((60, 80, 200)))).json
    assert answer["label"] is None
    assert answer["top_label"] in COLOURS


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_photograph_that_is_something_else_too_is_a_photograph_and_no_more(service, name):
    reply = service.identify(POLYGLOTS[name], content_type="text/html")
    assert reply.json["label"] == "apple"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert b"script" not in reply.body


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/zip", ""])
def test_the_type_that_a_client_names_is_not_believed(service, content_type):
    assert service.identify(photograph("plum"), content_type=content_type).json["label"] == "plum"
    reply = service.identify(NO_IMAGES["page"], content_type="image/jpeg")
    assert refusal(reply) == (415, "not_an_image")


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_image_is_refused(service, name):
    assert refusal(service.identify(NO_IMAGES[name])) == (415, "not_an_image")


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_refused(service, name):
    status, reason = refusal(service.identify(DAMAGED[name]))
    assert (status, reason) in [(422, "truncated"), (415, "not_an_image")]


def test_nothing_is_refused(service):
    assert refusal(service.identify(b"")) == (422, "empty")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(service):
    bomb = png_of(20_000, 20_000, rows=b"")
    reply = service.identify(bomb)
    assert refusal(reply) == (422, "too_large")
    assert "at most 1 megapixels" in reply.json["sentence"]
    assert reply.json["detail"].startswith("20000 x 20000 pixels")


def test_a_body_that_is_declared_too_long_is_refused_unread(service):
    async def unread():
        pytest.fail("the body is read")
        yield b""

    declared = str(LIMITS.max_bytes + 1)
    reply = asyncio.run(ask(service.app, "POST", "/identify", unread(), content_length=declared))
    assert refusal(reply) == (413, "too_many_bytes")


def test_a_body_of_unknown_length_is_counted_as_it_comes(service):
    n_read = 0

    async def endless():
        nonlocal n_read
        while True:
            n_read += 1
            yield bytes(50_000)

    reply = asyncio.run(ask(service.app, "POST", "/identify", endless()))
    assert refusal(reply) == (413, "too_many_bytes")
    assert n_read == 5


def test_a_body_that_does_not_end_in_time_is_refused_and_its_connection_ended(colours):
    service = MadeService(colours, dataclasses.replace(LIMITS, body_seconds=0.05))

    async def slow():
        yield b"\xff"
        await asyncio.Event().wait()

    reply = asyncio.run(ask(service.app, "POST", "/identify", slow()))
    assert refusal(reply) == (408, "too_slow")
    assert reply.headers["connection"] == "close"
    assert "0.05 s" in reply.json["sentence"]


def test_a_client_that_goes_is_no_error(service):
    async def going():
        yield b"\xff"
        yield None

    asyncio.run(ask(service.app, "POST", "/identify", going()))
    assert service.told == []


def test_all_photographs_in_memory_are_bounded_together_and_freed_when_answered(colours):
    limits = dataclasses.replace(LIMITS, max_held_bytes=LIMITS.max_bytes)
    service = MadeService(colours, limits)
    app = service.app
    content = photograph("banana")

    async def both():
        go_on = asyncio.Event()

        async def large():
            yield bytes(LIMITS.max_bytes - 1)
            await go_on.wait()

        first = asyncio.create_task(ask(app, "POST", "/identify", large()))
        await asyncio.sleep(0)
        refused = await ask(app, "POST", "/identify", _one(content))
        go_on.set()
        return refused, await first, await ask(app, "POST", "/identify", _one(content))

    refused, large, after = asyncio.run(both())
    assert refusal(refused) == (503, "busy")
    assert refused.headers["retry-after"] == "2"
    assert refusal(large) == (415, "not_an_image")
    assert after.json["label"] == "banana"


async def _one(content: bytes):
    yield content


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (took_too_long(), (422, "took_too_long")),
        (ImageRejected(Reason.UNREADABLE, "no"), (422, "unreadable")),
    ],
)
def test_what_the_processes_refuse_is_refused(colours, raised, expected):
    async def look(content):
        raise raised

    assert refusal(MadeService(colours, look=look).identify(b"x")) == expected


def test_an_error_that_nobody_expected_is_a_sentence_without_a_stack_trace(colours, capfd):
    async def look(content):
        raise ZeroDivisionError("secret")

    service = MadeService(colours, look=look)
    reply = service.identify(photograph("apple"))
    assert refusal(reply) == (500, "failed")
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert [type(each) for each in service.told] == [ZeroDivisionError]
    assert capfd.readouterr() == ("", "")


def test_nothing_of_a_photograph_is_said_or_kept(service, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    service.identify(photograph("apple", comment=b"somebody's garden"))
    service.identify(NO_IMAGES["page"])
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/assets/page.py", (404, "not_found")),
        ("GET", "/assets/..%2Fpage.py", (404, "not_found")),
        ("GET", "/assets/../page.html", (404, "not_found")),
        ("GET", "/identify", (405, "method_not_allowed")),
        ("DELETE", "/", (405, "method_not_allowed")),
    ],
)
def test_other_addresses_are_refused_in_a_sentence(service, method, path, expected):
    assert refusal(service.ask(method, path)) == expected


def test_health(service):
    assert service.ask("GET", "/health").json == {"status": "ok"}


ADDRESSES = ["/", "/health", "/nothing", "/identify", *(f"/assets/{name}" for name in ASSETS)]


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_no_answer_goes_without(service, path):
    for reply in (service.ask("GET", path), service.ask("GET", path, host="evil.example")):
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-content-type-options"] == "nosniff"
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "set-cookie" not in reply.headers


def test_the_page_loads_what_the_service_has_and_holds_no_script(service):
    html = service.ask("GET", "/").text
    loaded = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', html))
    imported = set(
        re.findall(r'from "(/assets/[^"]+)"', service.ask("GET", "/assets/page.js").text)
    )
    assert loaded | imported == {f"/assets/{name}" for name in ASSETS}
    for name, kind in ASSETS.items():
        reply = service.ask("GET", f"/assets/{name}")
        assert reply.headers["content-type"] == f"{kind}; charset=utf-8"
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
def test_the_language_is_the_one_asked_for(service, path, accepted, language):
    reply = service.ask("GET", path, accept_language=accepted)
    assert f'<html lang="{language}">' in reply.text
    assert reply.headers["content-language"] == language
    assert reply.headers["vary"] == "accept-language"
    title = {"en": "What fruit is it?", "fr": "Quel est ce fruit\u202f?"}[language]
    assert f"<title>{title}</title>" in reply.text
    for other in ("en", "fr"):
        current = ' aria-current="true"' if other == language else ""
        assert f'<a href="/?lang={other}" lang="{other}" hreflang="{other}"{current}>' in reply.text


def test_a_refusal_is_in_the_language_of_the_page(service):
    assert service.ask("POST", "/identify?lang=fr").json["sentence"] == "Ce fichier est vide."


def test_the_page_tells_how_often_the_classifier_was_right(service):
    data = page_data(service.ask("GET", "/").text)
    about = data["about"]
    assert (about["accuracy"], about["accuracy_low"], about["accuracy_high"]) == (0.9, 0.8, 0.95)
    assert about["n_labels"] == len(data["known"]["labels"]) == 3
    assert len(data["known"]["points"]) == len(data["known"]["label_of"]) == 3 * N_OF_LABEL
    assert data["limits"]["max_bytes"] == LIMITS.max_bytes
    assert 'id="warning"' not in service.ask("GET", "/").text


def test_a_warning_of_the_weights_stands_on_the_page(colours):
    warned = colours.renamed(str)
    warned.record = dataclasses.replace(colours.record, warning="random <numbers>")
    assert "random &lt;numbers&gt;" in MadeService(warned).ask("GET", "/?lang=fr").text


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_labels_and_paths_are_text(colours, name):
    service = MadeService(colours.renamed(lambda label: f"{label}{name}"))
    answer = service.identify(photograph("apple")).json
    shown = printable(f"apple{name}")
    assert answer["label"] == answer["neighbors"][0]["label"] == shown
    assert answer["neighbors"][0]["path"].startswith(f"{shown}/")
    html = service.ask("GET", "/").text
    assert page_data(html)["known"]["labels"][0] == shown
    in_list = re.search(r'<ul id="labels"><li>(.*?)</li>', html)
    assert in_list
    assert unescape(in_list[1]) == shown
    assert html.count("<script") == html.count("</script>") == 2
    assert service.told == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"}, 200),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, 200),
        ({"origin": "http://[::1]:8000", "host": "[::1]:8000"}, 200),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "http://localhost:8000"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:8000", "sec_fetch_site": "cross-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8000"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "user@evil.example"}, 421),
        ({"host": "192.168.1.7:8000"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": ""}, 421),
    ],
)
def test_only_this_page_and_programs_are_answered_for_this_machine(service, headers, status):
    reply = service.identify(photograph("apple"), **headers)
    assert reply.status == status
    if status != 200:
        assert refusal(reply) == (status, {403: "other_site", 421: "other_host"}[status])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.7:8000", 200),
        ("[fd00::7]:8000", 200),
        ("localhost:8000", 200),
        ("evil.example", 421),
    ],
)
def test_in_a_network_every_address_and_no_foreign_name_is_answered(colours, host, status):
    service = MadeService(colours, host="0.0.0.0")
    assert service.ask("GET", "/", host=host).status == status


def test_the_limits_hold_together():
    limits = ServiceLimits()
    assert limits.max_held_bytes >= limits.n_at_a_time * limits.max_bytes
    assert limits.request_seconds > limits.body_seconds + 3 * limits.look_seconds
    assert limits.n_connections > limits.n_waiting + limits.n_at_a_time
