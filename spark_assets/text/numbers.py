"""Numbers, sizes, times and dates with their units."""

import math
from datetime import UTC, datetime

from spark_assets.text.printable import printable

_NBSP = "\N{NO-BREAK SPACE}"
_NONE = "\N{EN DASH}"
_UNITS = ("kB", "MB", "GB", "TB", "PB")
# Not strftime's: those follow the locale of the machine.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def count(number: int) -> str:
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return ``1 image`` or ``1,234 images``."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def audited_of(n_audited: int, n_current: int, noun: str) -> str:
    """Return ``9 images``, or ``20,000 of 35,426 images (random sample)``."""
    if n_audited >= n_current:
        return counted(n_audited, noun)
    return f"{count(n_audited)} of {counted(n_current, noun)} (random sample)"


def share(fraction: float, digits: int = 1) -> str:
    """Return a fraction in [0, 1] as a percentage.

    Rounding never makes 100 % of less than everything, nor 0 % of more than nothing.
    """
    if not math.isfinite(fraction):
        return _NONE
    step = 10.0**-digits
    percent = round(100 * fraction, digits)
    if fraction < 1 and percent >= 100:
        return f"over {100 - step:.{digits}f}{_NBSP}%"
    if fraction > 0 and percent == 0:
        return f"under {step:.{digits}f}{_NBSP}%"
    return f"{percent:.{digits}f}{_NBSP}%"


def rate(per_second: float) -> str:
    if not math.isfinite(per_second):
        return _NONE
    return f"{per_second:,.1f}" if per_second < 100 else f"{per_second:,.0f}"


def size(n_bytes: int) -> str:
    """Return a number of bytes in decimal units, as disks and S3 bills count them."""
    if n_bytes < 1000:
        return counted(n_bytes, "byte")
    power = 1
    while n_bytes / 1000**power >= 999.95 and power < len(_UNITS):  # would print as 1000.0
        power += 1
    return f"{n_bytes / 1000**power:,.1f}{_NBSP}{_UNITS[power - 1]}"


def duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return _NONE
    if seconds < 9.995:
        return f"{seconds:.2f}{_NBSP}s"
    if seconds < 59.95:
        return f"{seconds:.1f}{_NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest:02d}{_NBSP}s"
    hours, minutes = divmod(minutes, 60)
    return f"{count(hours)}{_NBSP}h {minutes:02d}{_NBSP}min"


def minutes(seconds: float) -> str:
    """Return a time as every line of a progress shows it: ``3 min 07 s``."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min {rest:02d} s"


def usd(amount: float) -> str:
    """Return an amount of money; rounding never makes nothing of something."""
    if 0 < amount < 0.005:
        return f"under 0.01{_NBSP}USD"
    return f"{amount:,.2f}{_NBSP}USD"


def moment(iso: str) -> str:
    """Return an ISO 8601 moment in words, in UTC where it names its zone; other text as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return printable(iso)
    zone = ""
    if when.tzinfo is not None:
        when, zone = when.astimezone(UTC), " UTC"
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M}{zone}"
