"""The pages that follow a command name functions that exist, and packages their public names."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["run-to-pixel.md", "identify-to-label.md"]
ROW = re.compile(r"`([\w/]+\.py)`(?:,| \|) `([\w.]+)`")


def functions_in(path: Path) -> set[str]:
    """Return the functions of a module, those of classes as ``Class.function``."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    found = {each.name for each in module.body if isinstance(each, ast.FunctionDef)}
    classes = [each for each in module.body if isinstance(each, ast.ClassDef)]
    return found | {
        f"{each.name}.{method.name}"
        for each in classes
        for method in each.body
        if isinstance(method, ast.FunctionDef)
    }


@pytest.mark.parametrize("page", PAGES)
def test_each_named_function_is_in_its_file(page):
    rows = ROW.findall((ROOT / "docs" / "explanation" / page).read_text(encoding="utf-8"))
    assert len(rows) > 5
    assert [row for row in rows if row[1] not in functions_in(ROOT / row[0])] == []


@pytest.mark.parametrize("package", ["images", "features", "pca"])
def test_the_public_names_of_a_package_are_those_of_its_modules(package):
    module = import_module(f"spark_assets.{package}")
    homes = {name: getattr(module, name).__module__ for name in module.__all__}
    assert [home for home in homes.values() if not home.startswith(module.__name__ + ".")] == []
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
