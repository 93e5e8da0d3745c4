"""The French README gives the commands of the English one."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def commands(name):
    """Return the commands of each console block, without what they print."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line.startswith("$ ")] for block in blocks]


def test_the_first_two_commands_are_the_same():
    english, french = commands("README.md"), commands("README.fr.md")
    assert french[:2] == [["$ make run"], ["$ make test"]]
    assert french[0] == english[0]
    assert french[1] in english


def test_its_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / "README.fr.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z]+)", text))
    assert {"run", "test"} <= targets
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
