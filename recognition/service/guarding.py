"""What stands before every request: for whom it is, from where, and what no answer goes without.

A page of another site can send requests to this machine, and a name that it owns can be made to
point here (DNS rebinding).  Browsers say where a request comes from, and for which name.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recognition.service.refusals import Refused

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ALWAYS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_WITHOUT_EFFECT = ("GET", "HEAD")

RefusalResponse = Callable[[Request, Refused], Response]


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """For which names a request may be; with ``any_address``, for every IP address too."""

    names: frozenset[str]
    any_address: bool = False

    @classmethod
    def of(cls, host: str) -> "AllowedHosts":
        """Return what a service that listens on ``host`` answers to."""
        if is_loopback(host):
            return cls(LOOPBACK_NAMES)
        own = {host.lower(), socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
        # Nobody can make an address point elsewhere.
        return cls(LOOPBACK_NAMES | own, any_address=True)

    def allow(self, header: str) -> bool:
        """Tell whether a request with this Host header is for this service."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on ``host``."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Refuses requests that are for another name or come from another site; sets headers.

    ``tell`` hears of errors that nobody expected, which clients see as one sentence.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: AllowedHosts,
        refusal_response: RefusalResponse,
        tell: Callable[[Exception], None],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._refusal_response = refusal_response
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_ALWAYS)
            await send(message)

        app = self._app
        if (refused := self._refusal(scope)) is not None:
            app = self._refusal_response(Request(scope), refused)
        try:
            await app(scope, receive, send_guarded)
        # Starlette has answered it, and uvicorn would print it.
        except Exception as error:  # noqa: BLE001
            self._tell(error)

    def _refusal(self, scope: Scope) -> Refused | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._hosts.allow(host):
            return Refused(HTTPStatus.MISDIRECTED_REQUEST, "other_host")
        if scope["method"] not in _WITHOUT_EFFECT and _is_foreign(headers, host):
            return Refused(HTTPStatus.FORBIDDEN, "other_site")
        return None


def _is_foreign(headers: Headers, host: str) -> bool:
    """Tell whether a page of another site sends this; programs, which say nothing, may."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != host.lower()
