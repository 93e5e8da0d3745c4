"""The denylist of erased images, as salted digests: a run rejects a photograph that is on it."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from spark_assets.output.output import Output
from spark_assets.storage.files import read_json, write_json

_SALT_BYTES = 32
_FILE = "erased.json"


@dataclass(frozen=True, slots=True)
class ErasureDenylist:
    """HMAC-SHA256 of SHA-256 digests, with a salt of the output.

    With a photograph and the list, its presence can be checked; the list alone identifies none.
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
    """Return the denylist of an output, which is empty before the first erasure."""
    value = read_json(output.child(_FILE))
    if value is None:
        return ErasureDenylist()
    return ErasureDenylist(bytes.fromhex(value["salt"]), frozenset(value["digests"]))


def write_denylist(output: Output, denylist: ErasureDenylist) -> None:
    """Write the denylist of an output."""
    value = {"salt": denylist.salt.hex(), "digests": sorted(denylist.digests)}
    write_json(output.child(_FILE), value)
