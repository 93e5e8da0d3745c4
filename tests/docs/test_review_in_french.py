"""The French review is made from the English one, whole and with the same figures."""

import re

import pytest

from docs.translate import CATALOGUE, ENGLISH, FOLDER, FRENCH, messages, read_catalogue, translate

REVIEW = (FOLDER / ENGLISH).read_text(encoding="utf-8")


def test_the_french_review_is_up_to_date():
    made = translate(REVIEW, read_catalogue())
    assert made == (FOLDER / FRENCH).read_text(encoding="utf-8"), "give: make translations"


def test_the_catalogue_has_the_paragraphs_of_the_review_and_no_other():
    assert [message.id for message in read_catalogue() if message.id] == messages(REVIEW)


def test_a_paragraph_without_a_translation_is_refused():
    with pytest.raises(KeyError, match=rf"not translated in {CATALOGUE}: A new one\."):
        translate(f"{REVIEW}\nA new\none.\n", read_catalogue())


def test_figures_are_the_same_in_both_languages():
    for message in read_catalogue():
        english = re.findall(r"\d(?:[\d,.]*\d)?", str(message.id))
        french = re.findall(r"\d+(?:[\xa0\u202f]\d{3})*(?:,\d+)?", str(message.string))
        if message.id:
            assert _digits(english) == _digits(french), message.id


def _digits(numbers: list[str]) -> list[str]:
    return sorted(re.sub(r"\D", "", number) for number in numbers)
