"""Executes the walkthrough from a clean kernel, keeping pictures and what cells print.

Not what they say on stderr: it is the noise of libraries, and names folders of the machine.

``python docs/run_notebook.py`` does it in place; a second argument is where to write instead. Set
FRUITS_WEIGHTS to a Keras file to have the pictures of trained weights where none can be downloaded.
"""

import base64
import io
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

WALKTHROUGH = Path(__file__).parent / "tutorial" / "walkthrough.ipynb"
_LARGE_BYTES = 100_000
# All that is kept of the metadata: nothing of the machine or of the moment.
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "version": "3.11"},
}


def execute(source: Path, target: Path) -> None:
    """Run every cell of ``source`` and write it, with its outputs, to ``target``."""
    notebook = nbformat.read(source, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            coalesce_streams=True,  # how lines come in depends on the moment
        )
        client.execute()
    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [_small(one) for one in cell.outputs if one.get("name") != "stderr"]
    nbformat.validate(notebook)
    nbformat.write(notebook, target)


def _small(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Make a large picture, one with photographs in it, a JPEG: a fifth of the bytes."""
    content = base64.b64decode(output.get("data", {}).get("image/png", ""))
    if len(content) > _LARGE_BYTES:
        small = io.BytesIO()
        Image.open(io.BytesIO(content)).convert("RGB").save(small, "JPEG", quality=88)
        output.data["image/jpeg"] = base64.b64encode(small.getvalue()).decode("ascii")
        del output.data["image/png"]
    return output


if __name__ == "__main__":
    execute(WALKTHROUGH, Path(sys.argv[1]) if len(sys.argv) > 1 else WALKTHROUGH)
