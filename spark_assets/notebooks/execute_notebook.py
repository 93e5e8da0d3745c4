"""Execution of a notebook in a private local kernel, and its self-contained HTML page."""

import os
import tempfile
from collections.abc import Mapping

import nbformat
from jinja2 import DictLoader
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from traitlets.config import Config

from spark_assets.errors import FruitsError
from spark_assets.notebooks.check_notebook import check_notebook
from spark_assets.runtime.java import first_line

# A tag of cells: what they need is not on a node of the cluster.
LAPTOP_ONLY = "laptop-only"


def read_notebook(content: bytes, uri: str) -> nbformat.NotebookNode:
    """Return a notebook without old outputs and without its cells for a laptop.

    Raises FruitsError for what is no notebook.
    """
    check_notebook(content, uri)
    try:
        notebook: nbformat.NotebookNode = nbformat.reads(content.decode(), nbformat.NO_CONVERT)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise FruitsError(
            f"{uri} is not a valid notebook ({first_line(str(error))}); open it in Jupyter and "
            "save it again"
        ) from error
    notebook.cells = [
        cell for cell in notebook.cells if LAPTOP_ONLY not in cell.metadata.get("tags", ())
    ]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def execute(notebook: nbformat.NotebookNode, environment: Mapping[str, str]) -> str | None:
    """Run the cells in order until one fails; return the sentence of that one, or None.

    The notebook takes up the outputs.  The kernel inherits the environment of this process, to
    which ``environment`` is added: under spark-submit that leads it to the session prepared for
    this process.  It is spoken to through sockets in a folder that only this user can open.
    """
    begun: list[int] = []
    with tempfile.TemporaryDirectory(prefix="fruits-") as folder:
        client = NotebookClient(
            notebook,
            timeout=None,  # the life of the cluster is limited, and a cell may need hours
            kernel_name="python3",
            # Counted here: a kernel that dies may not report the number of the cell.
            on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
            resources={"metadata": {"path": folder}},
            config=Config(
                KernelManager={
                    "transport": "ipc",
                    "ip": f"{folder}/kernel",
                    "connection_file": f"{folder}/kernel.json",
                }
            ),
        )
        try:
            client.execute(env={**os.environ, **environment, **_own_folders(folder)})
        except CellExecutionError as error:
            reason = f"{error.ename}: {first_line(error.evalue)}" if error.evalue else error.ename
            return f"cell {len(begun)} failed: {reason}"
        except DeadKernelError:
            return (
                f"the kernel died in cell {len(begun)}, most often for lack of memory; "
                "bring fewer rows to the driver, or choose a larger primary_instance_type"
            )
    return None


def _own_folders(folder: str) -> dict[str, str]:
    """Return the temporary folders of a kernel's settings and history."""
    names = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    return {name: f"{folder}/{name.lower()}" for name in names}


# JupyterLab's own page, less the scripts that it would fetch: of formulas, diagrams and widgets.
_PAGE = {
    "page.html.j2": """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""
}


def html_page(notebook: nbformat.NotebookNode, title: str) -> str:
    """Return the page of a notebook, with its pictures inside."""
    exporter = HTMLExporter(
        extra_loaders=[DictLoader(_PAGE)], template_file="page.html.j2", template_name="lab"
    )
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return str(page)
