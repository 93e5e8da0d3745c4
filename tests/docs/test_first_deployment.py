"""The page of the first deployment: what it names in the code is there."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/tutorial/first-deployment.md").read_text(encoding="utf-8")
FILE = r"`((?:cdk_app|operations|spark_assets)/[\w/.]+)`"


def test_every_file_that_it_names_exists():
    files = set(re.findall(FILE, PAGE))
    assert len(files) > 5
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(("name", "file"), re.findall(rf"`(\w+)`\s+(?:in|of)\s+{FILE}", PAGE))
def test_a_name_in_a_file_is_one_that_the_file_has(name, file):
    assert re.search(rf"^\s*(?:def )?{name}\b", (ROOT / file).read_text(), flags=re.MULTILINE)


def test_it_names_no_line_of_a_file():
    assert not re.search(r"\.py:\d|\blines? \d", PAGE)


def test_each_stage_is_a_setting_that_the_configuration_has():
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    settings = set(re.findall(r"-c (\w+)=", PAGE))
    assert {"in_transit_certificates", "n_task_nodes"} <= settings <= set(context)
