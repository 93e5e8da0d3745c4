"""The runbook quotes messages of the program literally."""

import ast
import json
import re
from functools import cache
from pathlib import Path

from operations.aws.step_logs import SHIPPED_WITHIN_S

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RUNBOOK = (DOCS / "how-to" / "runbook.md").read_text(encoding="utf-8")
# Stands for a value in a message; no message holds the character itself.
GAP = "\0"
SECTIONS = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]


def blocks():
    return re.findall(r"^```text\n(.*?)^```", RUNBOOK, flags=re.MULTILINE | re.DOTALL)


def quotations():
    """Return the quoted messages: paragraphs of the blocks, without the program's name."""
    for block in blocks():
        for paragraph in block.split("\n\n"):
            yield re.sub(r"^(fruits|bootstrap): ", "", " ".join(paragraph.split()))


@cache
def program_texts():
    """Return all texts in the sources, one per line, with a gap for each value."""
    paths = (
        p for name in ("spark_assets", "cdk_app", "operations") for p in (ROOT / name).rglob("*.py")
    )
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)]
    # Those that another module may import.
    public = {
        name: value
        for module in modules
        for name, value in constants_of(module).items()
        if not name.startswith("_")
    }
    texts = [text for module in modules for text in texts_of(module, public)]
    script = (ROOT / "spark_assets/node/bootstrap.sh").read_text(encoding="utf-8")
    for text in re.findall(r'fail "(.*?)"$', script, flags=re.MULTILINE):
        texts.append(re.sub(r"\$\([^)]*\)|\$\{[^}]*\}|\$\w+", GAP, text))
    return "\n".join(texts)


def constants_of(module):
    return {
        node.targets[0].id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def texts_of(module, public):
    constants = {**public, **constants_of(module)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w+\}", GAP, " ".join(node.value.split()))
        elif isinstance(node, ast.JoinedStr):
            yield " ".join("".join(parts(node, constants)).split())


def parts(node, constants):
    for part in node.values:
        if isinstance(part, ast.Constant):
            yield re.sub(r"\{\w+\}", GAP, part.value)
        elif isinstance(part.value, ast.Name) and part.value.id in constants:
            yield constants[part.value.id]
        else:
            yield GAP


def is_in_program(message):
    pieces = [re.escape(piece.strip()) for piece in message.split("...")]
    # Within one text, which is a line here.
    return re.search("[^\n]*".join(pieces), program_texts()) is not None


def test_every_quoted_message_is_in_the_program():
    assert [message for message in quotations() if not is_in_program(message)] == []


def test_every_section_quotes_a_message_unless_it_has_none():
    without = {s.partition("\n")[0] for s in SECTIONS if "```text" not in s}
    assert without == {"Diagnostics", "Spot interruption"}
    assert len(list(quotations())) > 30


def test_every_section_has_a_command_and_names_its_tests():
    for section in SECTIONS[1:]:
        title = section.partition("\n")[0]
        assert "```console" in section, title
        _, found, tests = section.partition("\nTests: ")
        assert found, title
        paths = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert paths, title
        assert all((ROOT / path).is_file() for path in paths), paths


def test_its_numbers_are_those_of_the_program():
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    text = " ".join(RUNBOOK.split())
    assert f"{context['idle_timeout_minutes']} idle minutes (`idle_timeout_minutes`)" in text
    assert SHIPPED_WITHIN_S == 5 * 60
    assert "waits up to five minutes for the log" in text
    settings = (ROOT / "cdk_app/cluster/spark_settings.py").read_text(encoding="utf-8")
    assert '"spark.task.maxFailures": "8"' in settings
    assert "up to eight times each" in text
