"""The French review, made from the English one and a catalogue of its paragraphs.

``make translations`` runs this file: new paragraphs enter ``retour-critique.po`` empty, those that
are no longer used leave it, and ``retour-critique.md`` is written anew.  A heading, a paragraph, an
item of a list and a row of a table are one message each; code is copied.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from spark_assets.text.languages import unbroken

FOLDER = Path(__file__).parent / "explanation"
ENGLISH, CATALOGUE, FRENCH = "critical-review.md", "retour-critique.po", "retour-critique.md"
_WIDTH = 112
_CODE, _RULE = "```", re.compile(r"\|[-|]+")
_ITEM = re.compile(r"(?m)^(?=(?:- |\d+\. ))")
# Not the spaces that keep a line from breaking.
_SPACES = re.compile(r"[ \n]+")
_MARKER = re.compile(r"- |\d+\. |#+ |")


def blocks(document: str) -> Iterator[list[tuple[str, str]]]:
    """Yield what blank lines part, as pairs of what is copied and a message."""
    for block in re.split(r"\n{2,}", document.strip()):
        if block.startswith(_CODE):
            yield [(block, "")]
        elif block.startswith("|"):
            yield [
                (line, "") if _RULE.fullmatch(line) else ("", line) for line in block.split("\n")
            ]
        else:
            pairs = []
            for part in filter(None, _ITEM.split(block)):
                marker = _MARKER.match(part)[0]  # type: ignore[index]  # it matches nothing too
                pairs.append((marker, _SPACES.sub(" ", part[len(marker) :].strip(" \n"))))
            yield pairs


def messages(document: str) -> list[str]:
    """Return the messages of a document, in their order, each once."""
    return list(dict.fromkeys(text for block in blocks(document) for _, text in block if text))


def translate(document: str, catalogue: Catalog) -> str:
    """Return the document in the language of the catalogue.  Raises KeyError for a missing one."""
    return (
        "\n\n".join(
            "\n".join(
                _set(copied, text and _translation(catalogue, text)) for copied, text in block
            )
            for block in blocks(document)
        )
        + "\n"
    )


def read_catalogue() -> Catalog:
    with (FOLDER / CATALOGUE).open("rb") as file:
        return read_po(file, locale="fr")


def _translation(catalogue: Catalog, text: str) -> str:
    message = catalogue.get(text)
    if message is None or not message.string:
        raise KeyError(f"not translated in {CATALOGUE}: {text}")
    return unbroken(str(message.string))


def _set(copied: str, text: str) -> str:
    if not text or text.startswith("|") or copied.startswith("#"):
        return copied + text
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=copied,
        subsequent_indent=" " * len(copied),
        break_long_words=False,
        break_on_hyphens=False,
    )


def main() -> None:
    """Bring the catalogue up to date, then write the French document."""
    document = (FOLDER / ENGLISH).read_text(encoding="utf-8")
    held, made = read_catalogue(), Catalog(locale="fr")
    for text in messages(document):
        message = held.get(text)
        made.add(text, message.string if message else "")
    with (FOLDER / CATALOGUE).open("wb") as file:
        write_po(file, made, width=100, omit_header=True)
    try:
        (FOLDER / FRENCH).write_text(translate(document, made), encoding="utf-8")
    except KeyError as missing:
        sys.exit(str(missing.args[0]))


if __name__ == "__main__":
    main()
