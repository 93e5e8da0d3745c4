"""Validation of a notebook before it is submitted or executed."""

import json

from spark_assets.errors import FruitsError

_FORMAT = 4


def check_notebook(content: bytes, uri: str) -> None:
    """Raise FruitsError where a file is no notebook of Jupyter's format 4, that of all since 2014.

    Without a library of Jupyter, which is on the nodes and not where notebooks are submitted.
    """
    try:
        notebook = json.loads(content)
    except ValueError as error:
        raise FruitsError(
            f"{uri} is not a notebook, for it is no JSON; give a file that Jupyter has saved "
            "(.ipynb)"
        ) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise FruitsError(f"{uri} holds no cells; give a notebook that Jupyter has saved (.ipynb)")
    if notebook.get("nbformat") != _FORMAT:
        raise FruitsError(
            f"{uri} is of notebook format {notebook.get('nbformat')}, and format {_FORMAT} is "
            "needed; open it in Jupyter and save it again"
        )
