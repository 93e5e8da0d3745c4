"""The service: a page, what it loads, and one question, what is on this photograph."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from recognition.classifier.classifier_files import ClassifierRecord
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from recognition.service.answers import AnswerWriter
from recognition.service.bodies import Bodies
from recognition.service.guarding import AllowedHosts, Guard
from recognition.service.limits import ServiceLimits
from recognition.service.page import ASSETS, asset, render
from recognition.service.refusals import Refused, unusable
from recognition.service.wording import WORDS, language_of, sentence
from spark_assets.images.rejection import ImageRejected

# Raises ImageRejected and Refused.
Identify = Callable[[bytearray], Awaitable[Prediction]]

_REASON_OF_STATUS = {404: "not_found", 405: "method_not_allowed"}


def application(
    classifier: FruitClassifier,
    record: ClassifierRecord,
    identify: Identify,
    *,
    hosts: AllowedHosts,
    limits: ServiceLimits,
    tell: Callable[[Exception], None],
) -> ASGIApp:
    """Return the service of one classifier.  ``tell`` hears of errors that nobody expected."""
    answering = _Answering(classifier, record, identify, limits)
    routes = [
        Route("/", answering.page),
        Route("/health", answering.health),
        Route("/assets/{name}", answering.asset),
        Route("/identify", answering.identify, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers=answering.exception_handlers())
    return Guard(app, hosts, answering.refusal, tell)


class _Answering:
    """What each address answers."""

    def __init__(
        self,
        classifier: FruitClassifier,
        record: ClassifierRecord,
        identify: Identify,
        limits: ServiceLimits,
    ) -> None:
        self._identify = identify
        self._limits = limits
        self._writer = AnswerWriter(classifier)
        self._bodies = Bodies(limits)
        self._pages = {each: render(classifier, record, limits, each) for each in WORDS}
        self._assets = {name: asset(name) for name in ASSETS}

    async def page(self, request: Request) -> Response:
        language = language_of(request)
        return HTMLResponse(
            self._pages[language],
            headers={"content-language": language, "vary": "accept-language"},
        )

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(self._assets[name], media_type=ASSETS[name])

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def identify(self, request: Request) -> Response:
        """Answer what is on the photograph whose bytes are the body; its type is not believed."""
        async with self._bodies.body_of(request) as content:
            try:
                answer = await self._identify(content)
            except ImageRejected as rejected:
                raise unusable(rejected) from rejected
        return JSONResponse(self._writer.answer_json(answer))

    def refusal(self, request: Request, refused: Refused) -> Response:
        """Return why a request gets no answer, in a sentence of its language."""
        language = language_of(request)
        value = {
            "refused": refused.reason,
            "sentence": sentence(refused.reason, language, self._limits),
            "detail": refused.detail,
        }
        headers = {**refused.headers, "content-language": language}
        return JSONResponse(value, refused.status, headers=headers)

    def exception_handlers(self) -> dict[Any, Any]:
        return {
            Refused: self._refused,
            HTTPException: self._no_such_address,
            ClientDisconnect: self._gone,
            Exception: self._failed,
        }

    async def _refused(self, request: Request, error: Refused) -> Response:
        return self.refusal(request, error)

    async def _no_such_address(self, request: Request, error: HTTPException) -> Response:
        reason = _REASON_OF_STATUS.get(error.status_code, "failed")
        response = self.refusal(request, Refused(HTTPStatus(error.status_code), reason))
        response.headers.update(error.headers or {})
        return response

    async def _gone(self, request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it

    async def _failed(self, request: Request, error: Exception) -> Response:
        return self.refusal(request, Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "failed"))
