"""Names and messages from elsewhere, made fit to print."""

import re

_MAX_LINE = 1000
# Account numbers stand in ARNs, bucket names and messages of AWS: 12 digits on their own.
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def printable(text: str) -> str:
    r"""Return the text with everything that does not print as an escape: a newline as ``\n``.

    A path may hold any character.  Shown raw, a newline vanishes, a right-to-left mark makes one
    name look like another, and a lone surrogate cannot be written as UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_line(text: str) -> str:
    """Return one printable line of at most 1,000 characters, AWS account numbers masked.

    Lines of logs come from elsewhere: an escape sequence in one could rewrite the terminal.
    """
    line = text.expandtabs(4)
    cut = line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]}..."
    return _ACCOUNT.sub("<account>", printable(cut))


def shorten(text: str, length: int) -> str:
    """Return at most ``length`` characters: the beginning and the end, where names differ."""
    if len(text) <= length:
        return text
    tail = length // 3
    return text[: length - tail - 1] + "\N{HORIZONTAL ELLIPSIS}" + text[-tail:]
