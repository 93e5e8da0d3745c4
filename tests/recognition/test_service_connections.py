"""The service on a socket of this machine, with clients that keep it waiting."""

import dataclasses
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest
import uvicorn

from recognition.service.server import bound_socket, uvicorn_config
from tests.recognition.made_service import COLOURS, LIMITS, MadeService, photograph

# So short that a test need not wait, and longer than what a busy machine takes for a request.
HEAD_SECONDS, BODY_SECONDS = 1.0, 0.6
SHORT = dataclasses.replace(
    LIMITS,
    head_seconds=HEAD_SECONDS,
    body_seconds=BODY_SECONDS,
    look_seconds=0.6,
    answer_seconds=0.6,
    n_connections=12,
)
N_MANY = 60


@contextmanager
def listening_server(
    service: MadeService, *, send_buffer: int | None = None
) -> Iterator[tuple[uvicorn.Server, int]]:
    """Serve in a thread of this process; yield the server and its port."""
    listening = bound_socket("127.0.0.1", 0)
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = uvicorn.Server(uvicorn_config(service.app, service.limits))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield server, listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def service(colours) -> MadeService:
    return MadeService(colours, SHORT)


@pytest.fixture
def port(service) -> Iterator[int]:
    with listening_server(service) as (_, port):
        yield port


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def request(body: bytes, *lines: str, length: int | None = None) -> bytes:
    head = ["POST /identify HTTP/1.1", "host: 127.0.0.1", *lines]
    if not any("transfer-encoding" in line for line in lines):
        head.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*head, "", ""]).encode() + body


def everything(client: socket.socket) -> bytes:
    """Return all that comes until the other side ends the connection."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def answer_of(client: socket.socket) -> tuple[int, bytes]:
    """Return status and body of one answer; the connection may go on."""
    response = HTTPResponse(client)
    response.begin()
    return response.status, response.read()


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


def label_of(port: int, content: bytes) -> str:
    with connected(port) as client:
        client.sendall(request(content, "connection: close"))
        reply = everything(client)
    assert status_of(reply) == 200, reply
    label: str = json.loads(reply.partition(b"\r\n\r\n")[2])["label"]
    return label


def assert_well(port: int) -> None:
    assert label_of(port, photograph("apple")) == "apple"


def test_8_clients_at_once_get_8_right_answers(port):
    labels = [list(COLOURS)[n % 3] for n in range(8)]
    at_once = threading.Barrier(8)

    def ask(n: int) -> str:
        at_once.wait()
        return label_of(port, photograph(labels[n], n))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == labels


def test_many_connections_that_say_nothing_do_not_keep_others_out(port):
    silent = [connected(port) for _ in range(N_MANY)]
    began = time.monotonic()
    assert_well(port)
    assert time.monotonic() - began < HEAD_SECONDS  # not because they were ended
    assert [everything(each) for each in silent] == [b""] * N_MANY  # and now they are
    for each in silent:
        each.close()


def test_a_head_that_comes_byte_by_byte_is_ended(port):
    with connected(port) as client:
        client.settimeout(0.1)
        began = time.monotonic()
        reply = b""
        for byte in request(b"", *[f"x-{n}: y" for n in range(500)]):
            try:
                client.sendall(bytes([byte]))
                reply = client.recv(1000)
                break
            except TimeoutError:
                assert time.monotonic() - began < 10 * HEAD_SECONDS
        assert status_of(reply) == 408
    assert_well(port)


def test_bodies_that_come_byte_by_byte_are_ended_and_others_answered_meanwhile(port):
    slow = [connected(port) for _ in range(8)]
    for each in slow:
        each.sendall(request(b"\xff", length=1000))
    assert_well(port)
    for each in slow:
        reply = everything(each)
        assert status_of(reply) == 408
        assert b'"refused":"too_slow"' in reply
        each.close()
    assert_well(port)


def test_where_every_connection_is_busy_the_next_is_refused(port):
    busy = [connected(port) for _ in range(SHORT.n_connections)]
    for each in busy:
        each.sendall(request(b"\xff", length=1000))
    time.sleep(0.1)  # all have begun
    with connected(port) as client:
        client.sendall(request(b"\xff"))
        assert answer_of(client)[0] == 503
    for each in busy:
        assert status_of(everything(each)) == 408
        each.close()
    assert_well(port)


def test_a_body_that_is_too_long_is_answered_while_it_still_comes(port):
    with connected(port) as client:
        client.sendall(request(b"", length=50_000_000))
        status, reply = answer_of(client)
        assert status == 413
        assert b'"refused":"too_many_bytes"' in reply
        # It is heard for a while, or the answer would be lost, and not for ever.
        assert is_ended_while_it_sends(client)
    assert_well(port)


def is_ended_while_it_sends(client: socket.socket) -> bool:
    deadline = time.monotonic() + 20 * HEAD_SECONDS
    try:
        while time.monotonic() < deadline:
            client.sendall(bytes(5000))
            time.sleep(0.01)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_a_body_in_endless_chunks_is_answered(port):
    with connected(port) as client:
        client.sendall(request(b"", "transfer-encoding: chunked"))
        chunk = b"8000\r\n" + bytes(0x8000) + b"\r\n"
        for _ in range(20):
            client.sendall(chunk)
        assert answer_of(client)[0] == 413
    assert_well(port)


def test_answers_that_nobody_reads_are_given_up(service):
    n_asked = 300
    with listening_server(service, send_buffer=4096) as (server, port):
        greedy = [connected(port) for _ in range(4)]
        for client in greedy:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /assets/page.js HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * n_asked)
        assert_well(port)
        deadline = time.monotonic() + 20 * SHORT.request_seconds
        while server.server_state.connections and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not server.server_state.connections
        assert server.server_state.total_requests < n_asked
        for client in greedy:
            client.close()


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET\r\n\r\n",
        request(b"", length=-1),
        request(b"", "content-length: 1"),  # and 0
        request(b"zz\r\n", "transfer-encoding: chunked"),
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"y" * 40_000,  # and no end of the head
    ],
)
def test_what_is_not_http_is_refused(port, head):
    with connected(port) as client:
        client.sendall(head)
        reply = everything(client)
    assert status_of(reply) == 400
    assert b"Traceback" not in reply
    assert_well(port)


def test_one_connection_asks_again_and_again(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    for label in COLOURS:
        connection.request("POST", "/identify", photograph(label))
        assert json.loads(connection.getresponse().read())["label"] == label
    connection.close()


def test_no_connection_leaves_a_word_or_an_error(service, capfd):
    with listening_server(service) as (_, port):
        for content in (b"", b"\xff", photograph("plum")):
            with connected(port) as client:
                client.sendall(request(content, "x-secret: garden", "upgrade: websocket"))
        assert_well(port)
    assert service.told == []
    assert capfd.readouterr() == ("", "")
