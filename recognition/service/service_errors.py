"""Requests that fail: a code, its HTTP status, and a detail."""

from spark_assets.images.rejection import Reason

STATUS_OF_CODE = {
    "other_site": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "too_many_bytes": 413,
    str(Reason.NOT_AN_IMAGE): 415,
    **{str(reason): 422 for reason in Reason if reason is not Reason.NOT_AN_IMAGE},
    "took_too_long": 422,
    "failed": 500,
    "busy": 503,
}
RETRY_AFTER_SECONDS = 2


class ServiceError(Exception):
    """A request fails; ``code`` names its message in `page_language`, ``detail`` is English."""

    def __init__(self, code: str, detail: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS_OF_CODE[self.code]

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers beside those of every response."""
        if self.code == "busy":
            return {"retry-after": str(RETRY_AFTER_SECONDS)}
        # The rest of the body would still come.
        return {"connection": "close"} if self.code == "too_slow" else {}
