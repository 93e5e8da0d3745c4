"""The figures of the model card, each read from what was measured in ``docs/accuracy.md``.

``python -m docs.model_card`` writes them anew between ``<!-- figure: name -->`` and
``<!-- /figure -->``; a test compares.
"""

import re
from collections.abc import Iterator

from docs.figures import DOCS, MARKED

MODEL_CARD = DOCS / "model-card.md"
# The network of the default settings.
_ALPHA, _SIZE_PX = "1.0", "224"
_SPLITS = {
    "turntable, 12 fruits: a fifth at random": "random",
    "turntable, 3 fruits: other varieties": "varieties",
    "phones, 19 fruits: other shops": "phones",
    "turntable to phones, the fruits of both": "transfer",
}
_SCORE = "virtual-logit matching"
_INTERVAL = re.compile(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)")

Row = dict[str, str]


def figures() -> dict[str, str]:
    """Return every figure by name, as it is written."""
    text = (DOCS / "accuracy.md").read_text(encoding="utf-8")
    rows = [row for row in _rows(text) if (row.get("alpha"), row.get("px")) == (_ALPHA, _SIZE_PX)]
    return {**_accuracies(rows), **_unknown(rows), **_speed()}


def filled_in(text: str) -> str:
    """Return the model card with its figures written anew."""
    known = figures()
    return MARKED.sub(
        lambda found: f"<!-- figure: {found[1]} -->{known[found[1]]}<!-- /figure -->", text
    )


def _rows(text: str) -> Iterator[Row]:
    """Yield the rows of all tables of a page, by the header of each column."""
    for table in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.M):
        header, _, *rows = (
            [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()
        )
        for row in rows:
            yield dict(zip(header, row, strict=True))


def _accuracies(rows: list[Row]) -> dict[str, str]:
    found = {}
    for row in rows:
        if row.get("data") not in _SPLITS:
            continue
        key = _SPLITS[row["data"]]
        interval = _INTERVAL.fullmatch(row["accuracy (95 % interval)"])
        assert interval is not None
        found |= {
            key: _percent(interval[1]),
            f"{key}_low": _percent(interval[2]),
            f"{key}_high": _percent(interval[3]),
            f"{key}_balanced": _percent(row["balanced"]),
            f"{key}_calibration": _percent(row["calibration error"]),
            f"{key}_false_unknown": row["false unknown"],
        }
    return found


def _unknown(rows: list[Row]) -> dict[str, str]:
    (row,) = (row for row in rows if row.get("score") == _SCORE)
    columns = ("vegetables", "packages", "a fruit left out", "crops", "drawn")
    # The share that is refused stands before the AUROC.
    return {f"refused_{name.split()[-1]}": row[name].split(" (")[0] for name in columns}


def _speed() -> dict[str, str]:
    text = (DOCS / "identify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \| at most [^|]+ \| ([^|]+) \|$", text, flags=re.M)
    whole, first, further = (value.strip() for _, value in rows)
    return {"whole": whole, "first": first, "further": further}


def _percent(share: str) -> str:
    return f"{100 * float(share):.1f} %"


if __name__ == "__main__":
    MODEL_CARD.write_text(filled_in(MODEL_CARD.read_text(encoding="utf-8")), encoding="utf-8")
