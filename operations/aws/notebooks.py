"""A notebook for the cluster: its upload, and the results of its step."""

import re
from datetime import datetime
from pathlib import Path, PurePosixPath

from operations.aws.clients import Client
from operations.aws.clusters import Step
from spark_assets.errors import FruitsError
from spark_assets.notebooks.check_notebook import check_notebook
from spark_assets.storage.locations import parse_location
from spark_assets.text.printable import printable_line

_MAX_NAME_CHARACTERS = 100


def read_notebook(path: str) -> bytes:
    """Return the content of a local notebook.  Raises FruitsError if it cannot be read."""
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise FruitsError(
            f"the notebook {printable_line(path)} cannot be read: {error.strerror}; "
            "give a file of this machine (.ipynb)"
        ) from error
    check_notebook(content, printable_line(path))
    return content


def upload_notebook(
    s3: Client, notebooks_uri: str, path: str, content: bytes, now: datetime
) -> tuple[str, ...]:
    """Upload a notebook to a new folder; return the arguments to add to its step.

    ``now`` is in UTC.
    """
    # The name becomes part of commands to copy.
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(path).stem)[:_MAX_NAME_CHARACTERS]
    results = parse_location(notebooks_uri).child(f"{name}-{now:%Y%m%dT%H%M%SZ}")
    source = results.child("source", f"{name}.ipynb")
    s3.put_object(Bucket=source.bucket, Key=source.prefix.removesuffix("/"), Body=content)
    return ("--notebook", source.uri, "--results", results.uri)


def results_uri(step: Step) -> str | None:
    """Return the folder of the results of a notebook's step; None for any other step."""
    return _value(step, "--results")


def page_uri(step: Step) -> str | None:
    """Return the page of a notebook's step; None for any other step."""
    results, source = results_uri(step), _value(step, "--notebook")
    if results is None or source is None:
        return None
    return f"{results}/{PurePosixPath(source).stem}.html"


def _value(step: Step, option: str) -> str | None:
    pairs = zip(step.arguments, step.arguments[1:], strict=False)
    return next((printable_line(value) for name, value in pairs if name == option), None)
