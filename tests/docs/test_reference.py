"""The reference pages list the options and the public names that the code has."""

import pytest

from docs.make_reference import REFERENCE, api, commands, page


@pytest.mark.parametrize(("name", "make"), [("commands.md", commands), ("python.md", api)])
def test_a_reference_page_is_up_to_date(name, make, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert page(name, make()) == written, "give: python -m docs.make_reference"
