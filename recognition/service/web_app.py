"""The web application: a page, its files, and an endpoint that identifies a photograph."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from recognition.classifier.classifier_files import ClassifierRecord
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from recognition.service.limits import ServiceLimits
from recognition.service.page_language import LANGUAGES, error_message, language_of
from recognition.service.service_errors import ServiceError
from recognition.service.web_page import ASSETS, PredictionWriter, asset, render
from recognition.service.worker_pool import trim_memory

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
# For every response; `server` hands them to uvicorn, whose own errors have them too.
SECURITY_HEADERS = {
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
_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed"}

# Raises ServiceError.
Identify = Callable[[bytes], Awaitable[Prediction]]


class AddressOrTrustedHostMiddleware(TrustedHostMiddleware):
    """Also allows requests for an IP address: DNS rebinding needs a name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if _is_address(Headers(scope=scope).get("host", "")):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _is_address(host: str) -> bool:
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True


class WebApp:
    """The endpoints of the service of one classifier.

    ``on_error`` receives unexpected errors, of which a client sees one sentence.
    """

    def __init__(
        self,
        classifier: FruitClassifier,
        record: ClassifierRecord,
        identify: Identify,
        *,
        limits: ServiceLimits,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._identify = identify
        self._limits = limits
        self._on_error = on_error
        self._writer = PredictionWriter(classifier)
        self._free = asyncio.Semaphore(limits.max_concurrent)
        self._pages = {each: render(classifier, record, limits, each) for each in LANGUAGES}
        self._assets = {name: asset(name) for name in ASSETS}

    def starlette(self, network_names: tuple[str, ...] = ()) -> Starlette:
        """Return the application for the host names of this machine, and of a network.

        With any ``network_names``, every IP address is allowed too.
        """
        trusted_hosts = AddressOrTrustedHostMiddleware if network_names else TrustedHostMiddleware
        names = [*LOOPBACK_HOSTS, *network_names]
        handlers: dict[Any, Any] = {
            ServiceError: self.on_service_error,
            HTTPException: self.on_http_error,
            ClientDisconnect: self.on_disconnect,
            Exception: self.on_unexpected_error,
        }
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/health", self.health),
                Route("/assets/{name}", self.asset),
                Route("/identify", self.identify, methods=["POST"]),
            ],
            middleware=[Middleware(trusted_hosts, allowed_hosts=names, www_redirect=False)],
            exception_handlers=handlers,
        )

    async def page(self, request: Request) -> Response:
        language = language_of(request)
        headers = {"content-language": language, "vary": "accept-language"}
        return HTMLResponse(self._pages[language], headers=headers)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            raise ServiceError("not_found")
        return Response(self._assets[name], media_type=ASSETS[name])

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def identify(self, request: Request) -> Response:
        """Return the prediction for the photograph in the body; its declared type is ignored."""
        if is_cross_site(request.headers):
            raise ServiceError("other_site")
        if self._free.locked():
            raise ServiceError("busy")
        async with self._free:
            try:
                prediction = await self._identify(await read_body(request, self._limits))
            finally:
                trim_memory()
        return JSONResponse(self._writer.prediction_json(prediction))

    async def on_service_error(self, request: Request, error: ServiceError) -> Response:
        language = language_of(request)
        value = {
            "error": error.code,
            "message": error_message(error.code, language, self._limits),
            "detail": error.detail,
        }
        headers = {**error.headers, "content-language": language}
        return JSONResponse(value, error.status, headers=headers)

    async def on_http_error(self, request: Request, error: HTTPException) -> Response:
        code = _CODE_OF_STATUS.get(error.status_code, "failed")
        response = await self.on_service_error(request, ServiceError(code))
        response.headers.update(error.headers or {})
        return response

    async def on_disconnect(self, request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it

    async def on_unexpected_error(self, request: Request, error: Exception) -> Response:
        self._on_error(error)
        return await self.on_service_error(request, ServiceError("failed"))


def is_cross_site(headers: Mapping[str, Any]) -> bool:
    """Return whether a page of another site sent a request; programs send neither header."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers["host"].lower()


async def read_body(request: Request, limits: ServiceLimits) -> bytes:
    """Return the body of a request.  Raises ServiceError where it is too large or too slow."""
    if int(request.headers.get("content-length", "0")) > limits.max_bytes:
        raise ServiceError("too_many_bytes")
    content = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                if len(content) + len(chunk) > limits.max_bytes:
                    raise ServiceError("too_many_bytes")
                content += chunk
    except TimeoutError as error:
        raise ServiceError("too_slow") from error
    return bytes(content)
