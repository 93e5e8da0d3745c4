"""The metadata service of an instance, from which a node has the credentials of its role.

moto's own has credentials of nobody, and answers at once.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_ROLES = "/latest/meta-data/iam/security-credentials/"


@contextmanager
def metadata_service(keys: Mapping[str, str], *, n_failures: int) -> Iterator[str]:
    """Serve ``AccessKeyId``, ``SecretAccessKey`` and ``Token``; yield the address.

    The first requests on each connection fail, as where many nodes start at a time.  Only boto3's:
    the others keep a connection for one request.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), _Metadata) as server:
        server.credentials = {
            **keys,
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "Expiration": f"{datetime.now(UTC) + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}",
        }
        server.n_failures = n_failures
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Metadata(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self._n_requests = 0

    def do_PUT(self) -> None:
        self._answer("token")

    def do_GET(self) -> None:
        if self.path == _ROLES:
            self._answer("role")
        elif self.path == f"{_ROLES}role":
            self._answer(json.dumps(self.server.credentials))
        else:
            self.send_error(404)

    def _answer(self, text: str) -> None:
        self._n_requests += 1
        is_boto3 = "botocore" in self.headers.get("User-Agent", "").lower()
        is_busy = is_boto3 and self._n_requests <= self.server.n_failures
        body = b"" if is_busy else text.encode()
        self.send_response(503 if is_busy else 200)
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass
