"""The notebook job: a kernel of this machine, what it leaves, and the sentence of its failure."""

import json
import re

import nbformat
import pytest

from spark_assets.jobs import notebook

pytestmark = pytest.mark.slow
PICTURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


@pytest.fixture
def run(starts_processes, tmp_path):
    """Return a function that executes cells; it returns the exit code, the notebook and the page.

    A cell is its code, or its code with its tags.
    """

    def _run(*cells, **places):
        source = tmp_path / "mine.ipynb"
        made = [
            nbformat.v4.new_code_cell(
                code,
                metadata={"tags": list(tags)},
                outputs=[nbformat.v4.new_output("stream", text="of an earlier run")],
                execution_count=99,
            )
            for code, *tags in ((cell,) if isinstance(cell, str) else cell for cell in cells)
        ]
        # The kernel that somebody has worked with is not on the nodes.
        other = {"kernelspec": {"name": "sparkmagic", "display_name": "PySpark"}}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=other), source)
        results = tmp_path / "results"
        options = [word for name, uri in places.items() for word in (f"--{name}", uri)]
        code = notebook.COMMAND.main(
            ["--notebook", str(source), "--results", str(results), *options]
        )
        executed = nbformat.read(results / "mine.ipynb", nbformat.NO_CONVERT)
        return code, executed, (results / "mine.html").read_text(encoding="utf-8")

    return _run


def test_the_page_has_the_pictures_inside_and_asks_for_nothing(run):
    code, executed, page = run("# $x^2$\n1 + 1", PICTURE)
    assert code == 0
    assert executed.cells[0].outputs[0].data["text/plain"] == "2"
    assert "image/png" in executed.cells[1].outputs[-1].data
    assert "data:image/png;base64," in page
    assert not re.findall(r"<script|<link|@import|src=\"(?!data:)", page)


def test_a_notebook_finds_the_places_of_the_deployment(run):
    code, executed, _ = run(
        "import os\nprint(os.environ['FRUITS_OUTPUT'], 'FRUITS_MODEL' in os.environ)",
        output="s3://results/chain",
    )
    assert code == 0
    assert executed.cells[0].outputs[0].text == "s3://results/chain False\n"


def test_what_is_for_a_laptop_is_left_out(run):
    code, executed, page = run(("import tensorflow", "laptop-only"), ("print('kept')", "other"))
    assert code == 0
    assert [cell.source for cell in executed.cells] == ["print('kept')"]
    assert "tensorflow" not in page


def test_a_cell_that_fails_leaves_the_notebook_as_far_as_it_came(run, capsys):
    code, executed, page = run("print('before')", "undefined_name", "print('after')")
    assert code == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "fruits: cell 2 failed: NameError: name 'undefined_name' is not defined"
    )
    first, failed, never = executed.cells
    assert first.outputs[0].text == "before\n"
    assert failed.outputs[0].ename == "NameError"
    assert (never.outputs, never.execution_count) == ([], None)
    assert "NameError" in page
    assert "of an earlier run" not in page


def test_a_kernel_that_dies_is_told_with_its_cell(run, capsys):
    code, executed, _ = run("print('before')", "import os\nos._exit(9)")
    assert code == 1
    assert "fruits: the kernel died in cell 2, most often for lack" in capsys.readouterr().err
    assert executed.cells[0].outputs[0].text == "before\n"


def test_no_other_machine_can_reach_the_kernel(run):
    look = (
        "import psutil\n"
        "[c.laddr.ip for c in psutil.Process().net_connections() if c.status == 'LISTEN']"
    )
    _, executed, _ = run(look)
    assert set(json.loads(executed.cells[0].outputs[0].data["text/plain"].replace("'", '"'))) <= {
        "127.0.0.1"
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no notebook {}; check its name"),
        ("{}", "{} holds no cells; give a notebook that Jupyter has saved (.ipynb)"),
        (
            '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
            "{} is not a valid notebook",
        ),
    ],
)
def test_what_is_no_notebook_is_told_in_a_sentence(tmp_path, content, sentence, capsys):
    source = tmp_path / "a.ipynb"
    if content is not None:
        source.write_text(content)
    assert notebook.COMMAND.main(["--notebook", str(source), "--results", str(tmp_path / "r")]) == 1
    assert f"fruits: {sentence.format(source)}" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
