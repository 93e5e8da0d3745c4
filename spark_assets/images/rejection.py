"""The rejection of a photograph: its reason, and the limits of what is decoded."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_DETAIL_CHARACTERS = 200


class Reason(StrEnum):
    """Why an image is rejected: a closed set."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


class ImageRejected(Exception):
    """An image that cannot be used; the run goes on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        # Tables, logs and the report show it: one line, printable.
        line = " ".join("".join(c if c.isprintable() else " " for c in detail).split())
        self.reason = reason
        self.detail = line[:_DETAIL_CHARACTERS]
        super().__init__(f"{reason}: {self.detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        return ImageRejected, (self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest image that is decoded, by bytes of the file and megapixels of the picture."""

    max_bytes: int = 64 * 1024 * 1024
    max_megapixels: float = 100.0


def check_size(size_bytes: int, limits: ImageLimits) -> None:
    """Raise ImageRejected where the encoded image is larger than allowed."""
    if size_bytes > limits.max_bytes:
        raise ImageRejected(
            Reason.TOO_LARGE, f"{size_bytes} bytes, more than {limits.max_bytes} bytes"
        )
