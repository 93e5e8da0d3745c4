"""What an option may be, and the sentence of argparse where it is something else.

Without the chain: a command that takes a number loads no library for it.
"""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

from spark_assets.errors import FruitsError

_Value = TypeVar("_Value")


def as_argparse_type(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Return a parser whose refusals argparse prints."""

    def parse_or_refuse(text: str) -> _Value:
        try:
            return parse(text)
        except FruitsError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_or_refuse


def _number(text: str, allowed: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give {allowed}")
    return value


def positive_int(text: str) -> int:
    """Parse an integer of at least 1."""
    value = _number(text, allowed := "an integer of at least 1")
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give {allowed}")
    return int(value)


def positive_float(text: str) -> float:
    """Parse a number above 0."""
    value = _number(text, allowed := "a number above 0")
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give {allowed}")
    return value


def share(text: str) -> float:
    """Parse a fraction from 0 to 1."""
    value = _number(text, allowed := "a fraction from 0 to 1")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give {allowed}")
    return value


def alpha(text: str) -> float:
    """Parse a width of MobileNetV2."""
    value = _number(text, allowed := "a width above 0 and up to 2, such as 0.35 or 1.0")
    if not 0 < value <= 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give {allowed}")
    return value
