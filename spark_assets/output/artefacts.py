"""What is made from the tables of an output and kept beside them, such as a classifier.

Whoever makes one registers it, with the runs it was made from: an erasure then removes it without
having to know of it.
"""

from dataclasses import asdict, dataclass

from spark_assets.output.layout import OutputLayout
from spark_assets.storage.files import delete_file, delete_folder, names_in, read_json, write_json


@dataclass(frozen=True, slots=True)
class RegisteredArtefact:
    """A folder below the output, made from the features of some runs.

    ``name`` is unique in the output and a file name; ``folder`` is relative to it, ``/``-separated.
    """

    name: str
    folder: str
    made_from: list[str]


def register_artefact(layout: OutputLayout, artefact: RegisteredArtefact) -> None:
    """Note what is about to be made: before its first file, so that none is ever forgotten."""
    write_json(layout.artefacts.child(f"{artefact.name}.json"), asdict(artefact))


def registered_artefacts(layout: OutputLayout) -> list[RegisteredArtefact]:
    """Return what is registered, by name."""
    names = [name for name in names_in(layout.artefacts) if name.endswith(".json")]
    values = [read_json(layout.artefacts.child(name)) for name in names]
    return [RegisteredArtefact(**value) for value in values if value is not None]


def remove_artefact(layout: OutputLayout, artefact: RegisteredArtefact) -> None:
    """Remove an artefact, and then the note of it."""
    delete_folder(layout.output.child(*artefact.folder.split("/")))
    delete_file(layout.artefacts.child(f"{artefact.name}.json"))
