"""The certificate of an erasure: what was erased and verified, without a word of who or what."""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.output.output import Output
from spark_assets.storage.files import write_json
from spark_assets.storage.locations import Location


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
    return output.place(f"erasures/{erasure_id}.json")
