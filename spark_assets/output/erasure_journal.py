"""Erasures that have begun and have not ended.

The journal of an erasure is written first and removed last: what is left to do is done by whoever
comes next if the one who began it has died.
"""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.output.output import Output
from spark_assets.removal.remove_files import Removal, remove_files
from spark_assets.storage.files import delete_empty_folders, names_in, read_json, write_json
from spark_assets.storage.locations import Location

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
    folder = output.child(_FOLDER)
    names = (name for name in names_in(folder) if name.endswith(".json"))
    values = (read_json(folder.child(name)) for name in names)
    return [PendingErasure(**value) for value in values if value is not None]


def write_journal(output: Output, erasure: PendingErasure) -> None:
    """Write the journal of an erasure, from which moment whoever works on the output does it."""
    write_json(output.child(f"{_FOLDER}/{_name(erasure)}"), erasure.to_json())


def delete_journal(output: Output, erasure: PendingErasure) -> Removal:
    """Forget which images were erased; return what came of that.

    Version by version: until the last is gone, the erasure has not ended.
    """
    removal = remove_files(output.child(_FOLDER), [_name(erasure)])
    delete_empty_folders(output.location, [_FOLDER])
    return removal


def _name(erasure: PendingErasure) -> str:
    return f"{erasure.erasure_id}.json"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an erasure came to, written once nothing that it could reach is left.

    Attributes
    ----------
    erasure_id, began_at, ended_at : str
        Its name, and its moments (ISO 8601).
    n_images : int
        Paths that were asked for, with their copies where these were.
    held : dict
        What there was of them when it began: numbers by name.
    salted_digests : list of str
        HMAC-SHA256 of the digests, with the salt of the output's list of erased images: whoever
        has the photograph and the list can check that it is on it, and nobody else learns a thing.
    verified : list of str
        What was looked through in the end, and found without a trace.
    outside_reach : list of str
        Where traces may be that no command of the project removes.
    """

    erasure_id: str
    began_at: str
    ended_at: str
    n_images: int
    held: dict[str, int]
    salted_digests: list[str]
    verified: list[str]
    outside_reach: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def write_certificate(output: Output, certificate: Certificate) -> Location:
    """Write a certificate in place of an earlier one of the same erasure; return where."""
    file = certificate_file(output, certificate.erasure_id)
    write_json(file, certificate.to_json())
    return file


def certificate_file(output: Output, erasure_id: str) -> Location:
    """Return where the certificate of an erasure is."""
    return output.child(f"erasures/{erasure_id}.json")
