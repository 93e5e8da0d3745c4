"""An executed notebook as one HTML page, which asks the Internet for nothing."""

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter

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
