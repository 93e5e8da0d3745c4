"""The images that were erased, as salted digests: a photograph of them is refused from then on."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from spark_assets.output.output import Output
from spark_assets.storage.files import read_json, write_json

_SALT_BYTES = 32
_LIST = "erased.json"


@dataclass(frozen=True, slots=True)
class ErasureDenylist:
    """HMAC-SHA256 of SHA-256 digests, with a salt of the output.

    Whoever has a photograph and the list can tell whether it is on it; the list alone tells nothing
    of any.
    """

    salt: bytes = field(default_factory=lambda: secrets.token_bytes(_SALT_BYTES))
    digests: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.digests)

    def salted(self, content_sha256: str) -> str:
        return hmac.new(self.salt, content_sha256.encode(), hashlib.sha256).hexdigest()

    def holds(self, content_sha256: str) -> bool:
        return self.salted(content_sha256) in self.digests

    def with_digests(self, content_sha256: Iterable[str]) -> "ErasureDenylist":
        return replace(self, digests=self.digests | {self.salted(d) for d in content_sha256})

    def without(self, content_sha256: Iterable[str]) -> "ErasureDenylist":
        return replace(self, digests=self.digests - {self.salted(d) for d in content_sha256})


def read_denylist(output: Output) -> ErasureDenylist:
    """Read the list of an output: an empty one where nothing was erased."""
    value = read_json(output.child(_LIST))
    if value is None:
        return ErasureDenylist()
    return ErasureDenylist(bytes.fromhex(value["salt"]), frozenset(value["digests"]))


def write_denylist(output: Output, erased: ErasureDenylist) -> None:
    """Write the list in place of the one that was there."""
    value = {"salt": erased.salt.hex(), "digests": sorted(erased.digests)}
    write_json(output.child(_LIST), value)
