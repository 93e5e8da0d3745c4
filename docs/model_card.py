"""The figures of the model card, each read from what was measured in ``docs/accuracy.md``.

``python -m docs.model_card`` writes them anew between ``<!-- figure: name -->`` and
``<!-- /figure -->``; a test compares.
"""

import re

from docs.figures import DOCS, MARKED

MODEL_CARD = DOCS / "model-card.md"
_SCORE = re.compile(
    r"^  (\D+), ([\w ]+?) +([\d.]+) \(([\d.]+) to ([\d.]+)\), balanced ([\d.]+)", re.M
)
_BLOCK = re.compile(r"^accuracy, (.*?)(?:, \d folds)?:\n((?:  .*\n)+)", re.M)
_SPLITS = {
    "whole objects left out": "objects",
    "single photographs left out": "frames",
    "on the test images": "test",
}
_NAMES = {"nearest neighbor": "nearest", "logistic regression": "logistic"}
# The rows of the tables of what is refused, in order.
_REFUSED = ("easy_random", "easy_test", "hard_random", "hard_test", "hard_object")


def figures() -> dict[str, str]:
    """Return every figure by name, as it is written."""
    text = (DOCS / "accuracy.md").read_text(encoding="utf-8")
    return {**_scores(text), **_refused(text), **_speed()}


def filled_in(text: str) -> str:
    """Return the model card with its figures written anew."""
    known = figures()
    return MARKED.sub(
        lambda found: f"<!-- figure: {found[1]} -->{known[found[1]]}<!-- /figure -->", text
    )


def _scores(text: str) -> dict[str, str]:
    found = {}
    for split, lines in _BLOCK.findall(text):
        for name, space, accuracy, low, high, balanced in _SCORE.findall(lines):
            key = f"{_SPLITS[split]}_{_NAMES[name]}"
            key += "_all" if space == "all features" else ""
            found |= {
                key: _percent(accuracy),
                f"{key}_low": _percent(low),
                f"{key}_high": _percent(high),
                f"{key}_balanced": _percent(balanced),
            }
    return found


def _refused(text: str) -> dict[str, str]:
    rows = re.findall(r"^\| [^|]+ \| ([\d.]+ %) \| ([\d.]+ %) \| ([\d.]+ %) \|$", text, flags=re.M)
    found = {}
    for name, (known, left_out, without_fruit) in zip(_REFUSED, rows, strict=True):
        found |= {
            f"{name}_known": known,
            f"{name}_left_out": left_out,
            f"{name}_without_fruit": without_fruit,
        }
    return found


def _speed() -> dict[str, str]:
    text = (DOCS / "identify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \| at most [^|]+ \| ([^|]+) \|$", text, flags=re.M)
    whole, first, further = (value.strip() for _, value in rows)
    size = re.search(r"known photographs: \S+, ([\d.]+ MB)", text)
    assert size is not None
    return {"whole": whole, "first": first, "further": further, "exported": size[1]}


def _percent(share: str) -> str:
    return f"{100 * float(share):.1f} %"


if __name__ == "__main__":
    MODEL_CARD.write_text(filled_in(MODEL_CARD.read_text(encoding="utf-8")), encoding="utf-8")
