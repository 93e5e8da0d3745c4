"""The journal of unfinished erasures, and the certificates of finished ones.

The journal of an erasure is written first and removed last, so that the next command can finish an
interrupted one.
"""

from dataclasses import asdict, dataclass

from spark_assets.output.output import Output
from spark_assets.removal.remove_files import Removal, remove_files
from spark_assets.storage.files import delete_empty_folders, names_in, read_json, write_json
from spark_assets.storage.locations import Location

_JOURNALS = "_erasing"


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """One erasure, with all that is needed to do it again from the beginning.

    Attributes
    ----------
    erasure_id, began_at : str
        Its id and its start (ISO 8601).
    sources : list of str
        URIs of the folders and prefixes that hold the photographs.
    paths : list of str
        Paths of the images, relative to their source.
    content_sha256 : list of str
        Digests of all known contents of the images.
    held : dict
        Counts by name at the start, for the certificate.
    is_rewritten : bool
        Whether tables, models and report are done; photographs and old versions remain then.
    """

    erasure_id: str
    began_at: str
    sources: list[str]
    paths: list[str]
    content_sha256: list[str]
    held: dict[str, int]
    is_rewritten: bool = False


def pending_erasures(output: Output) -> list[PendingErasure]:
    """Return the unfinished erasures, oldest first."""
    folder = output.child(_JOURNALS)
    names = (name for name in names_in(folder) if name.endswith(".json"))
    values = (read_json(folder.child(name)) for name in names)
    return [PendingErasure(**value) for value in values if value is not None]


def write_journal(output: Output, erasure: PendingErasure) -> None:
    """Write the journal of an erasure; from then on, each command on the output continues it."""
    write_json(output.child(f"{_JOURNALS}/{_name(erasure)}"), asdict(erasure))


def delete_journal(output: Output, erasure: PendingErasure) -> Removal:
    """Delete the journal of an erasure with all its versions; the last one ends the erasure."""
    removal = remove_files(output.child(_JOURNALS), [_name(erasure)])
    delete_empty_folders(output.location, [_JOURNALS])
    return removal


def _name(erasure: PendingErasure) -> str:
    return f"{erasure.erasure_id}.json"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of an erasure, which identifies no photograph and no person.

    Attributes
    ----------
    erasure_id, began_at, ended_at : str
        Its id, start and end (ISO 8601).
    n_images : int
        Number of erased paths, copies included where ``--copies`` was given.
    held : dict
        Counts by name at the start.
    salted_digests : list of str
        HMAC-SHA256 of the digests, with the salt of the output's denylist.
    verified : list of str
        Places that were searched at the end and hold no trace.
    outside_reach : list of str
        Places that may hold traces and that no command of the project reaches.
    """

    erasure_id: str
    began_at: str
    ended_at: str
    n_images: int
    held: dict[str, int]
    salted_digests: list[str]
    verified: list[str]
    outside_reach: list[str]


def write_certificate(output: Output, certificate: Certificate) -> Location:
    """Write a certificate, which replaces one of the same erasure; return its location."""
    file = certificate_file(output, certificate.erasure_id)
    write_json(file, asdict(certificate))
    return file


def certificate_file(output: Output, erasure_id: str) -> Location:
    """Return the location of the certificate of an erasure."""
    return output.child(f"erasures/{erasure_id}.json")
