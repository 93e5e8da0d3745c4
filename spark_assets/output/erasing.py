"""Erasures that have begun and have not ended: what they erase is hidden from every reader.

The journal of an erasure is written first and removed last.  Writing it is the moment from which
the images no longer count; what is left of them is removed after it, by whoever comes next if the
one who began it has died.
"""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.files import names_in, read_json, write_json
from spark_assets.output.layout import OutputLayout


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """What one erasure has to remove.

    ``paths`` are those of the images, relative to their source; ``sources`` are the URIs of the
    folders and prefixes that hold the photographs; ``content_sha256`` are the digests of all that
    these images ever were.
    """

    erasure_id: str
    started_at: str
    sources: list[str]
    paths: list[str]
    content_sha256: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def pending_erasures(layout: OutputLayout) -> list[PendingErasure]:
    """Return the erasures that have begun and not ended, oldest first."""
    names = (name for name in names_in(layout.erasing) if name.endswith(".json"))
    values = (read_json(layout.erasing.child(name)) for name in names)
    return [PendingErasure(**value) for value in values if value is not None]


def begin_erasure(layout: OutputLayout, erasure: PendingErasure) -> None:
    """Hide the images of an erasure from every reader, from now on."""
    write_json(layout.erasing.child(f"{erasure.erasure_id}.json"), erasure.to_json())


def hidden_paths(layout: OutputLayout) -> list[str]:
    """Return the paths of the images that are being erased."""
    return sorted({path for erasure in pending_erasures(layout) for path in erasure.paths})
