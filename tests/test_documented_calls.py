"""The pages that follow a command through the code: every file and function they name exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*-to-*.md"))
_CALL = re.compile(r"`(?P<file>[\w/]+\.py)`,? `(?P<name>[\w.]+)`")


def names_in(body: list[ast.stmt], prefix: str = "") -> set[str]:
    """Return the functions, classes and methods of a module, methods as ``Class.method``."""
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            names |= names_in(node.body, f"{node.name}.")
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_function_exists(page):
    calls = _CALL.findall(page.read_text())
    assert len(calls) >= 5
    missing = [
        (file, name)
        for file, name in calls
        if not (ROOT / file).is_file()
        or name not in names_in(ast.parse((ROOT / file).read_text()).body)
    ]
    assert missing == []
