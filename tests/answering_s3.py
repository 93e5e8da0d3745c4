"""A bucket on loopback that answers by the name of what is asked for, as S3 would.

``403-AccessDenied.jpg`` is refused with that status and code, ``2-503-SlowDown.jpg`` twice, and any
other name is the content.  ``cut`` breaks an answer off in its middle, ``cut2`` twice.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_ALWAYS = 10**6
_ERROR = re.compile(r"(?:(\d+)-)?(\d{3})-([\w.]*?)(?:\.jpg)?")
_CUT = re.compile(r"cut(\d*)(?:\.jpg)?")


@dataclass
class AnsweringS3:
    """What the bucket holds, and what was asked of it.

    ``refusing`` is what listings and writes are told: ``403-AccessDenied``.
    """

    url: str
    content: bytes
    names: Sequence[str] = ()
    refusing: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    authorizations: set[str | None] = field(default_factory=set)

    @property
    def key_ids(self) -> set[str | None]:
        """Return by which access keys requests were signed; None is an unsigned one."""
        found = (each and re.search(r"Credential=([^/]*)/", each) for each in self.authorizations)
        return {None if each is None else each[1] for each in found}


@contextmanager
def answering_s3(content: bytes) -> Iterator[AnsweringS3]:
    """Run the server, and yield what it is and hears."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        heard = AnsweringS3(f"http://127.0.0.1:{server.server_port}", content)
        server.heard = heard
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield heard
        server.shutdown()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def heard(self) -> AnsweringS3:
        heard: AnsweringS3 = self.server.heard
        return heard

    def do_GET(self) -> None:
        self.heard.authorizations.add(self.headers["Authorization"])
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(query["prefix"][0])
            return
        name = unquote(urlsplit(self.path).path).rpartition("/")[2]
        self.heard.requests[f"{self.command} {name}"] += 1
        n_asked = self.heard.requests[f"GET {name}"]
        if cut := _CUT.fullmatch(name):
            self._send(200, self.heard.content, whole=n_asked > int(cut[1] or _ALWAYS))
            return
        error = _ERROR.fullmatch(name)
        if error is None or n_asked > int(error[1] or _ALWAYS):
            self._send(200, self.heard.content)
        else:
            self._refuse(int(error[2]), error[3])

    def do_PUT(self) -> None:
        self._read_body()
        if refusing := _ERROR.fullmatch(self.heard.refusing):
            self._refuse(int(refusing[2]), refusing[3])
        else:
            self._send(200, b"")

    def _read_body(self) -> None:
        """Read it to its end, or what is left of it would be taken for the next request."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + len("\r\n"))
        self.rfile.readline()

    do_POST = do_PUT  # noqa: N815 - the name is that of http.server

    def do_HEAD(self) -> None:
        self.do_GET()

    def _list(self, prefix: str) -> None:
        if refusing := _ERROR.fullmatch(self.heard.refusing):
            self._refuse(int(refusing[2]), refusing[3])
            return
        listed = "".join(
            f"<Contents><Key>{escape(prefix + name)}</Key><Size>{len(self.heard.content)}</Size>"
            "<LastModified>2026-11-27T12:00:00.000Z</LastModified></Contents>"
            for name in self.heard.names
        )
        self._send(200, f"<ListBucketResult>{listed}</ListBucketResult>".encode())

    def _refuse(self, status: int, code: str) -> None:
        error = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
        self._send(status, error.encode())

    def _send(self, status: int, body: bytes, *, whole: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.send_header("Last-Modified", "Fri, 27 Nov 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if whole else body[: len(body) // 2])
        self.close_connection = self.close_connection or not whole

    def log_message(self, *arguments: object) -> None:
        pass
