"""The notebooks of the rehearsal: what an operator submits, and what is in the bucket then."""

from dataclasses import dataclass
from pathlib import Path

import nbformat

from tests.end_to_end.emulated_cloud import EmulatedCloud
from tests.end_to_end.node import Nodes, Run

_SUBMIT = ("submit", "--follow", "--interval-seconds", "1", "--notebook")


@dataclass(frozen=True)
class ExecutedNotebook:
    """What was seen of a notebook: its step, and its results by their keys."""

    run: Run
    results: dict[str, str]

    @property
    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.reads(self.results[self.key(".ipynb")], nbformat.NO_CONVERT)

    @property
    def page(self) -> str:
        return self.results[self.key(".html")]

    def key(self, ending: str) -> str:
        """Return the key of the executed notebook or of its page."""
        (key,) = (key for key in self.results if key.endswith(ending) and "/source/" not in key)
        return key


def execute(cloud: EmulatedCloud, nodes: Nodes, bucket: str, file: Path) -> ExecutedNotebook:
    """Submit a notebook, follow it, and fetch what it left."""
    before = set(cloud.objects(bucket))
    run = nodes.run(lambda: cloud.fruits(*_SUBMIT, str(file)), ["notebook"])
    s3 = cloud.client("s3")
    made = [key for key in cloud.objects(bucket) if key not in before]
    return ExecutedNotebook(
        run, {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in made}
    )


def failing_notebook(folder: Path) -> Path:
    """Write a notebook whose second cell fails."""
    file = folder / "failing.ipynb"
    cells = [nbformat.v4.new_code_cell(code) for code in ("print(45)", "1 / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)
    return file
