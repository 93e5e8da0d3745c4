"""Text from elsewhere, made fit for a terminal."""

import re

_MAX_LENGTH = 1000
# Account numbers stand in ARNs, in names of buckets and in messages: wherever 12 digits are alone.
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def printable(text: str) -> str:
    """Return one line without control characters and without the number of an account.

    Names of files and lines of logs come from elsewhere: an escape sequence among them could
    rewrite what stands on the terminal.
    """
    line = text.expandtabs(4)
    cut = line if len(line) <= _MAX_LENGTH else f"{line[:_MAX_LENGTH]}..."
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return _ACCOUNT.sub("<account>", "".join(shown))


def duration(seconds: float) -> str:
    """Return a time in minutes and seconds, as the progress of a run does."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
