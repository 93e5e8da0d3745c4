"""Requests that get no answer: the status, and the sentence that says why."""

from http import HTTPStatus

from spark_assets.images.rejection import ImageRejected, Reason

RETRY_AFTER_SECONDS = 2


class Refused(Exception):
    """A request is refused.

    ``reason`` names the sentence in `wording`, ``detail`` says more in English where there is more.
    ``closes`` ends the connection, whose client keeps it busy.
    """

    def __init__(
        self, status: HTTPStatus, reason: str, *, detail: str | None = None, closes: bool = False
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.closes = closes

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its status."""
        headers = {"connection": "close"} if self.closes else {}
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        return headers


def busy() -> Refused:
    """Return the refusal of one request too many."""
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy")


def too_many_bytes() -> Refused:
    """Return the refusal of a photograph of too many bytes."""
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_bytes")


def took_too_long() -> Refused:
    """Return the refusal of a photograph that cannot be decoded within the time."""
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "took_too_long")


def unusable(rejected: ImageRejected) -> Refused:
    """Return the refusal of bytes that no photograph can be made of."""
    status = (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        if rejected.reason is Reason.NOT_AN_IMAGE
        else HTTPStatus.UNPROCESSABLE_ENTITY
    )
    return Refused(status, str(rejected.reason), detail=rejected.detail)
