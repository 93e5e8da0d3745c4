"""The two reviews: every figure is the one that the project's files give, in both languages."""

import re
from collections import Counter

import pytest

from docs.figures import MARKED, REVIEWS, figures

TEXTS = {language: path.read_text(encoding="utf-8") for language, path in REVIEWS.items()}
# What French puts between thousands and before some signs.
SPACES = "\u202f\u00a0"


@pytest.fixture(scope="module")
def computed():
    return figures()


@pytest.mark.parametrize("language", TEXTS)
def test_every_figure_is_the_one_that_is_computed(language, computed):
    written = MARKED.findall(TEXTS[language])
    assert len(written) > 40
    differing = {
        name: (value, computed[name].written(language))
        for name, value in written
        if value != computed[name].written(language)
    }
    assert not differing, "write them anew with: python -m docs.figures"


def test_both_hold_the_same_figures_and_all_there_are(computed):
    english, french = (Counter(name for name, _ in MARKED.findall(text)) for text in TEXTS.values())
    assert english == french
    assert set(english) == set(computed)


def unmarked_numbers(text):
    """Return the numbers that stand outside of figures, code, comments and links, as digits."""
    bare = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", MARKED.sub(" ", text), flags=re.DOTALL)
    bare = re.sub(rf"(?<=\d)[{SPACES},](?=\d{{3}})", "", bare)
    return Counter(re.findall(r"(?<![\w-])\d+(?![\w-])", bare))


def test_other_numbers_are_the_same_in_both():
    english, french = (unmarked_numbers(text) for text in TEXTS.values())
    assert english == french


def test_a_number_with_decimals_is_always_a_figure():
    for text in TEXTS.values():
        assert not re.findall(r"(?<![\w-])\d+[.,]\d+", MARKED.sub(" ", text).replace("4,000", ""))


def test_both_have_the_same_headings_and_rows():
    def shape(text):
        return [re.match(r"#+|\||-|\d\.|```", line)[0] for line in lines(text)]

    def lines(text):
        return [line for line in text.splitlines() if re.match(r"#|\||- |\d\. |```", line)]

    assert shape(TEXTS["en"]) == shape(TEXTS["fr"])


def test_what_is_said_of_money_holds(computed):
    """The words around the figures: which is more."""
    assert computed["cluster_vcpu_usd"].value > computed["machine_vcpu_usd"].value
    assert computed["machine_vcpu_usd"].value > computed["machine_spot_vcpu_usd"].value
    assert computed["serverless_usd"].value < computed["run_usd"].value
    assert computed["crossover_large"].value < computed["crossover_small"].value
