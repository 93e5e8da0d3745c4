"""Where images are read and results written: a local folder or a prefix in S3."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow.fs

from spark_assets.credentials import current_keys
from spark_assets.errors import FruitsError

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

DEFAULT_REGION = "eu-central-1"
# Spark reads these as patterns, and there is no way to tell it otherwise.
GLOB_CHARACTERS = "*?[]{}\\"


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach S3.

    Taken from the environment once, on the driver, and sent to the workers, whose environment
    may be another.  ``anonymous``: without credentials, as everybody reads a public bucket.
    """

    region: str
    endpoint_url: str | None
    anonymous: bool = False

    @classmethod
    def from_environment(cls, *, anonymous: bool = False) -> "S3Settings":
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return cls(region or DEFAULT_REGION, endpoint or None, anonymous)


@dataclass(frozen=True, slots=True)
class Location:
    """A folder.

    ``base`` is an absolute local path, or ``bucket/prefix`` when ``s3`` is set; it never ends
    in ``/``.
    """

    base: str
    s3: S3Settings | None = None

    @property
    def uri(self) -> str:
        """The form that people type, manifests carry and messages name.

        The home folder, whose name is that of a person, is written ``~``.
        """
        if self.s3:
            return f"s3://{self.base}"
        home = str(Path.home())
        below_home = home != "/" and f"{self.base}/".startswith(f"{home}/")
        return f"~{self.base.removeprefix(home)}" if below_home else self.base

    @property
    def filesystem(self) -> pyarrow.fs.FileSystem:
        """Arrow's way to the files here, with credentials that are valid for ten minutes at least.

        Raises AccessRefused where S3 needs credentials and there are none.
        """
        if self.s3 is None or self.s3.anonymous:
            return _filesystem(self.s3, None)
        return _filesystem(self.s3, current_keys())

    @property
    def bucket(self) -> str:
        return self.base.partition("/")[0]

    @property
    def prefix(self) -> str:
        """The key prefix in S3: empty, or ending in ``/``."""
        prefix = self.base.partition("/")[2]
        return f"{prefix}/" if prefix else ""

    def child(self, *names: str) -> "Location":
        return Location("/".join((self.base, *names)), self.s3)

    def contains(self, other: "Location") -> bool:
        return self._storage == other._storage and f"{other.base}/".startswith(f"{self.base}/")

    @property
    def _storage(self) -> tuple[str | None] | None:
        """Where the files are, however they are read: None for this machine."""
        return None if self.s3 is None else (self.s3.endpoint_url,)

    def spark_path(self, s3_scheme: str = "s3a") -> str:
        """Return the path as Spark's readers and writers take it: literal, not URL-encoded."""
        return f"{s3_scheme}://{self.base}" if self.s3 else f"file://{self.base}"


def parse_location(uri: str, *, anonymous: bool = False) -> Location:
    """Parse what a user typed: a local path, ``file://``, ``s3://`` or ``s3a://``.

    ``anonymous``: what is in S3 is read without credentials.
    Raises FruitsError for any other scheme, and for an S3 URI without a bucket.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        if not uri:
            raise FruitsError("an empty place was given; name a folder or s3://bucket/prefix")
        return Location(str(Path(uri).expanduser().absolute()))
    if scheme == "file":
        path = rest.removeprefix("localhost")
        if not path.startswith("/"):
            raise FruitsError(f"{uri} names another host; write file:///folder")
        return Location(path.rstrip("/") or "/")
    if scheme in ("s3", "s3a"):
        base = rest.rstrip("/")
        if not base or base.startswith("/"):
            raise FruitsError(f"{uri} names no bucket; write s3://bucket/prefix")
        return Location(base, S3Settings.from_environment(anonymous=anonymous))
    raise FruitsError(
        f"{uri} begins with {scheme}://, which is not supported; "
        "give a local folder, file://, s3:// or s3a://"
    )


def parse_output_location(uri: str) -> Location:
    """Parse a place that Spark writes to.

    Raises FruitsError as `parse_location` does, and for names that Spark reads as patterns.
    """
    location = parse_location(uri)
    if any(character in location.base for character in GLOB_CHARACTERS):
        raise FruitsError(
            f"the output {uri} holds one of {GLOB_CHARACTERS}, which Spark reads as a pattern; "
            "choose a name without them"
        )
    return location


@lru_cache(maxsize=8)
def _filesystem(s3: S3Settings | None, keys: "ReadOnlyCredentials | None") -> pyarrow.fs.FileSystem:
    if s3 is None:
        return pyarrow.fs.LocalFileSystem()
    endpoint = urlsplit(s3.endpoint_url) if s3.endpoint_url else None
    return pyarrow.fs.S3FileSystem(
        # Given: of its own accord it would look for others, and go without where it finds none.
        access_key=keys and keys.access_key,
        secret_key=keys and keys.secret_key,
        session_token=keys and keys.token,
        anonymous=s3.anonymous,
        region=s3.region,
        endpoint_override=endpoint.netloc if endpoint else None,
        scheme=endpoint.scheme if endpoint else "https",
        connect_timeout=10,
        request_timeout=60,
    )
