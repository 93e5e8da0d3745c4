"""The walkthrough: it runs from a clean kernel, and what is committed is what was run."""

import ast
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from operations.wheelhouse import MODULES
from spark_assets.notebooks.execute_notebook import read_notebook

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "tutorial" / "walkthrough.ipynb"
N_PICTURES = 7
PACKAGES = {"spark_assets", "sample_photographs", "recognition"}
LIBRARIES = {"matplotlib", "numpy", "pandas", "pyspark"}


def code_cells(path):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def pictures(path):
    found = [set(one.get("data", {})) for cell in code_cells(path) for one in cell.outputs]
    return sum(bool(kinds & {"image/png", "image/jpeg"}) for kinds in found)


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("walkthrough")
    target = folder / "executed.ipynb"
    places = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "run_notebook.py", target],
        env={
            **os.environ,
            "FRUITS_WEIGHTS": "random",
            **{name: str(folder / name.lower()) for name in places},
        },
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return target


@pytest.mark.slow
def test_it_runs_from_a_clean_kernel_and_shows_pictures(executed):
    assert pictures(executed) == N_PICTURES
    assert all(cell.execution_count for cell in code_cells(executed))


@pytest.mark.slow
def test_what_is_committed_is_what_was_run(executed):
    ours, theirs = (nbformat.read(path, as_version=4) for path in (NOTEBOOK, executed))
    assert [c.source for c in ours.cells] == [c.source for c in theirs.cells]
    assert ours.metadata == theirs.metadata


def test_it_is_committed_with_its_outputs():
    cells = code_cells(NOTEBOOK)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert pictures(NOTEBOOK) == N_PICTURES
    assert NOTEBOOK.stat().st_size < 2**20


def test_it_tells_nothing_of_the_machine_it_ran_on():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # Pictures are letters too, in which anything may occur.
    shown = [
        str({kind: data for kind, data in one.get("data", {}).items() if "image" not in kind})
        + str(one.get("text", ""))
        for cell in notebook.cells
        for one in cell.get("outputs", [])
    ]
    text = " ".join([*shown, str(notebook.metadata), *(str(c.metadata) for c in notebook.cells)])
    assert not re.search(r"/(?:home|root|tmp|work|usr|Users)\b", text)
    assert str(ROOT) not in text
    assert socket.gethostname() not in text


def imports_of(cells):
    imported = set()
    for cell in cells:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    return imported


def test_its_cells_import_the_packages_libraries_and_the_standard_library_only():
    imported = imports_of(code_cells(NOTEBOOK))
    assert imported >= PACKAGES
    assert imported - PACKAGES - LIBRARIES <= set(sys.stdlib_module_names)


def test_on_a_cluster_its_cells_import_what_a_node_has():
    """EMR brings pyspark, the bootstrap action the other libraries, the step its package."""
    notebook = read_notebook(NOTEBOOK.read_bytes(), "walkthrough.ipynb")
    imported = imports_of(cell for cell in notebook.cells if cell.cell_type == "code")
    installed = {name.partition(".")[0] for name in MODULES.read_text().split()}
    installed |= {"pyspark", "spark_assets"}
    assert "pyspark" in imported
    assert imported - installed <= set(sys.stdlib_module_names)
