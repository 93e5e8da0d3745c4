"""Erasures that have begun and have not ended: what they erase is hidden from every reader.

The journal of an erasure is written first and removed last.  Writing it is the moment from which
the images no longer count; what is left of them is removed after it, by whoever comes next if the
one who began it has died.
"""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.output.layout import OutputLayout
from spark_assets.storage.files import delete_file, delete_folder, names_in, read_json, write_json


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
    runs_by_outcome : dict
        The runs that have found something of them: ``features``, ``rejected`` and ``gone``.
    model_ids, artefacts : list of str
        PCA models and registered artefacts that were made from them.
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
    runs_by_outcome: dict[str, list[str]]
    model_ids: list[str]
    artefacts: list[str]
    held: dict[str, int]
    is_rewritten: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pending_erasures(layout: OutputLayout) -> list[PendingErasure]:
    """Return the erasures that have begun and not ended, oldest first."""
    names = (name for name in names_in(layout.erasing) if name.endswith(".json"))
    values = (read_json(layout.erasing.child(name)) for name in names)
    return [PendingErasure(**value) for value in values if value is not None]


def note_erasure(layout: OutputLayout, erasure: PendingErasure) -> None:
    """Write the journal of an erasure, from which moment its images are hidden from readers."""
    write_json(layout.erasing.child(f"{erasure.erasure_id}.json"), erasure.to_json())


def end_erasure(layout: OutputLayout, erasure: PendingErasure) -> None:
    """Forget which images were erased: nothing is left of them that has to be hidden."""
    delete_file(layout.erasing.child(f"{erasure.erasure_id}.json"))
    if not names_in(layout.erasing):
        delete_folder(layout.erasing)


def hidden_paths(layout: OutputLayout) -> list[str]:
    """Return the paths of the images that are being erased."""
    return sorted({path for erasure in pending_erasures(layout) for path in erasure.paths})
