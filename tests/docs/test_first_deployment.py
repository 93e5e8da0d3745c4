"""The page of the first deployment: what it names in the code is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/first-deployment.md").read_text(encoding="utf-8")
FILE = r"`((?:cdk_app|operations|spark_assets)/[\w/.]+)`"


def test_every_file_that_it_names_exists():
    files = set(re.findall(FILE, PAGE))
    assert len(files) > 8
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(("name", "file"), re.findall(rf"`(\w+)`\s+(?:in|of)\s+{FILE}", PAGE))
def test_a_name_in_a_file_is_one_that_the_file_has(name, file):
    assert re.search(rf"^\s*(?:def )?{name}\b", (ROOT / file).read_text(), flags=re.MULTILINE)


def test_it_names_no_line_of_a_file():
    assert not re.search(r"\.py:\d|\blines? \d", PAGE)


def test_a_section_that_it_refers_to_exists():
    sections = set(re.findall(r"^(?:### |\| )(\d\.\d)\b", PAGE, flags=re.MULTILINE))
    referred = set(
        re.findall(r"\b(?:[Ss]ee|with|in|[Aa]s|and|reason,|Before) ([1-6]\.[1-9])\b", PAGE)
    )
    assert referred
    assert referred <= sections
