"""Erasures that have begun and have not ended.

The journal of an erasure is written first and removed last: what is left to do is done by whoever
comes next if the one who began it has died.
"""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.output.output import Output
from spark_assets.removal.files import Removal, remove_files
from spark_assets.storage.files import delete_empty_folders, names_in, read_json, write_json

_FOLDER = "_erasing"


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """All that one erasure has to do, so that it can be done again from the beginning.

    Attributes
    ----------
    erasure_id, began_at : str
        Its name, and when it was asked for (ISO 8601).
    sources : list of str
        URIs of the folders and prefixes that hold the photographs.
    paths : list of str
        Those of the images, relative to their source.
    content_sha256 : list of str
        Digests of all that the images were found to be.
    held : dict
        What there was when it began, for the certificate: numbers by name.
    is_rewritten : bool
        Whether tables, models and report are done, and only what is outside of them is left.
    """

    erasure_id: str
    began_at: str
    sources: list[str]
    paths: list[str]
    content_sha256: list[str]
    held: dict[str, int]
    is_rewritten: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pending_erasures(output: Output) -> list[PendingErasure]:
    """Return the erasures that have begun and not ended, oldest first."""
    folder = output.place(_FOLDER)
    names = (name for name in names_in(folder) if name.endswith(".json"))
    values = (read_json(folder.child(name)) for name in names)
    return [PendingErasure(**value) for value in values if value is not None]


def note_erasure(output: Output, erasure: PendingErasure) -> None:
    """Write the journal of an erasure, from which moment whoever works on the output does it."""
    write_json(output.place(f"{_FOLDER}/{_name(erasure)}"), erasure.to_json())


def end_erasure(output: Output, erasure: PendingErasure) -> Removal:
    """Forget which images were erased; return what came of that.

    Version by version: until the last is gone, the erasure has not ended.
    """
    removal = remove_files(output.place(_FOLDER), [_name(erasure)])
    delete_empty_folders(output.location, [_FOLDER])
    return removal


def _name(erasure: PendingErasure) -> str:
    return f"{erasure.erasure_id}.json"
