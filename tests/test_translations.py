"""Every message of a page has its French, and no French is left over."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
CATALOGUES = {
    "spark_assets": "spark_assets/report/fr.po",
    "recognition/service": "recognition/service/fr.po",
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TAG = re.compile(r"<[^>]+>")


def extracted(folder: str) -> set[str | tuple[str, ...]]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(
        ROOT / folder, methods, options, keywords={**DEFAULT_KEYWORDS, "mark": None}
    )
    return {message for _, _, message, _, _ in found}


def translated(catalogue: str) -> list[Message]:
    with (ROOT / catalogue).open("rb") as file:
        return [message for message in read_po(file, locale="fr") if message.id]


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize(("folder", "catalogue"), CATALOGUES.items())
def test_the_catalogue_has_the_messages_of_the_code_and_no_other(folder, catalogue):
    assert {message.id for message in translated(catalogue)} == extracted(folder)


@pytest.mark.parametrize("catalogue", CATALOGUES.values())
def test_every_message_is_translated_with_its_placeholders_and_tags(catalogue):
    for message in translated(catalogue):
        assert not message.fuzzy, message.id
        original, french = forms(message.id), forms(message.string)
        assert len(french) == len(original), message.id
        for text in french:
            assert text, message.id
            for what in (_PLACEHOLDER, _TAG):
                assert sorted(what.findall(text)) == sorted(what.findall(original[-1])), text


@pytest.mark.parametrize("catalogue", CATALOGUES.values())
def test_french_is_set_as_french(catalogue):
    for message in translated(catalogue):
        for text in map(_plain, forms(message.string)):
            assert "'" not in text, text
            assert '"' not in text, text
            assert "..." not in text, text
            assert not re.search(r"[^\s:][:;?!»](\s|$)", text), f"a space before the mark: {text}"
            assert not re.search(r"\S%%", text), text


def _plain(text: str) -> str:
    """Return the text without tags, entities and placeholders."""
    return re.sub(r"&\w+;", "", _PLACEHOLDER.sub("x", _TAG.sub("", text)))
