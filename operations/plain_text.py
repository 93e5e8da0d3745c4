"""Paragraphs and aligned facts within one width, for what commands print."""

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100


def wrap(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Return a paragraph as lines; no word is broken, so that commands can be copied."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fact_lines(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return ``name  fact`` lines with the facts in one column; a long fact goes on below itself.

    A fact without a name belongs to the one above.
    """
    width = max((len(name) for name, _ in facts), default=0)
    return [
        line
        for name, fact in facts
        for line in wrap(fact, first=f"  {name:<{width}}  ", rest=" " * (width + 4))
    ]


def join(parts: Iterable[Sequence[str]]) -> str:
    """Return blocks of lines as text, an empty line between two; blocks without a line go."""
    return "\n\n".join("\n".join(lines) for lines in parts if lines)
