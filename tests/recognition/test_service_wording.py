"""Both languages say the same things, and every refusal has its sentence."""

import re

import pytest

from recognition.service.limits import ServiceLimits
from recognition.service.web_page import asset
from recognition.service.wording import NAMES, WORDS, sentence
from spark_assets.images.rejection import Reason

REASONS = [
    *map(str, Reason),
    "busy",
    "failed",
    "method_not_allowed",
    "not_found",
    "other_site",
    "too_many_bytes",
    "too_slow",
    "took_too_long",
]


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def test_both_languages_have_the_same_words_with_the_same_places():
    assert set(NAMES) == {"en", "fr"}
    english, french = WORDS["en"], WORDS["fr"]
    assert list(english) == list(french)
    for name, text in english.items():
        assert placeholders(text) == placeholders(french[name]), name
        assert text.strip() == text
        assert "'" not in french[name], name  # the typographic apostrophe


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_has_a_sentence(reason, language):
    message = sentence(reason, language, ServiceLimits())
    assert message.endswith((".", "?"))
    assert not placeholders(message)


def test_no_word_is_missing_and_none_is_left_over():
    used = set(re.findall(r"words\.(\w+)", asset("page.html") + asset("page.js")))
    assert used | set(REASONS) == set(WORDS["en"])


def test_french_marks_do_not_begin_a_line():
    for name, text in WORDS["fr"].items():
        assert not re.search(r" [:;?!%]", text), name
    assert WORDS["fr"]["title"] == "Quel est ce fruit\N{NARROW NO-BREAK SPACE}?"
