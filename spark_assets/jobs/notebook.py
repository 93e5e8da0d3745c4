"""The notebook job: executes a notebook beside the deployed photographs and tables.

spark-submit runs this file, and the kernel joins the session that it prepared.  The notebook finds
the places of the deployment in FRUITS_IMAGES, FRUITS_OUTPUT and FRUITS_MODEL.
"""

import argparse
import sys
from pathlib import PurePosixPath

import nbformat

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.notebooks.execute_notebook import execute, html_page, read_notebook
from spark_assets.runtime.progress import echo
from spark_assets.storage.files import read_bytes, write_bytes
from spark_assets.storage.locations import parse_location

_PLACES = ("images", "output", "model")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    for place in _PLACES:
        parser.add_argument(
            f"--{place}", metavar="URI", help=f"what the notebook finds in FRUITS_{place.upper()}"
        )
    parser.add_argument("--notebook", required=True, metavar="URI", help="the notebook (.ipynb)")
    parser.add_argument(
        "--results",
        required=True,
        metavar="URI",
        help="folder or s3:// prefix of the executed notebook and its page (.html)",
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Execute a notebook and write it as far as it came.  Raises FruitsError of a cell that fails.

    What a cell shows is in the results alone: it may name photographs, and this is a log.
    """
    source = parse_location(parsed.notebook)
    if (content := read_bytes(source)) is None:
        raise FruitsError(f"there is no notebook {source.uri}; check its name")
    notebook = read_notebook(content, source.uri)
    places = {f"FRUITS_{place.upper()}": getattr(parsed, place) for place in _PLACES}
    echo(f"executing {source.uri}")
    failure = execute(notebook, {name: uri for name, uri in places.items() if uri is not None})
    results, name = parse_location(parsed.results), PurePosixPath(source.base).stem
    write_bytes(results.child(f"{name}.ipynb"), nbformat.writes(notebook).encode())
    write_bytes(results.child(f"{name}.html"), html_page(notebook, name).encode())
    echo(f"the executed notebook is in {results.uri}")
    if failure is not None:
        raise FruitsError(failure)
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
