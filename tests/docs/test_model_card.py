"""The model card: every figure is the one that was measured, and no other number is a measure."""

import re

from docs.figures import MARKED
from docs.model_card import MODEL_CARD, figures

TEXT = MODEL_CARD.read_text(encoding="utf-8")


def test_every_figure_is_the_one_that_was_measured():
    measured = figures()
    written = MARKED.findall(TEXT)
    assert len(written) > 25
    differing = {
        name: (value, measured[name]) for name, value in written if value != measured[name]
    }
    assert not differing, "write them anew with: python -m docs.model_card"


def test_a_number_with_decimals_is_always_a_figure():
    # Widths, licences and DOIs are names.
    bare = MARKED.sub(" ", TEXT).replace("alpha 1.0", "").replace("CC BY-SA 4.0", "")
    bare = bare.replace("Apache-2.0", "").replace("10.1109/CVPR.2018.00474", "")
    assert not re.findall(r"\d+\.\d+", bare)


def test_what_the_words_around_the_figures_say_holds():
    share = {
        name: float(value.split()[0]) for name, value in figures().items() if value.endswith("%")
    }
    assert share["random"] > share["phones"] > share["transfer"]
    assert share["random"] > share["varieties"]
    assert share["refused_packages"] > share["refused_vegetables"] > share["refused_out"]
    assert abs(share["refused_out"] - share["phones_false_unknown"]) < 10
    assert 50 < min(share["refused_crops"], share["refused_drawn"]) < 100
