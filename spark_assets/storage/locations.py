"""Where images are read and results written: a local folder or a prefix in S3."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow.fs

from spark_assets.errors import FruitsError
from spark_assets.storage.credentials import current_keys

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

DEFAULT_REGION = "eu-central-1"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Control characters, and surrogates of bytes that are not UTF-8.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BUCKET = re.compile(r"(?!.*\.\.)(?![\d.]+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# An ARN holds an account number, and is not repeated.
_ARN_SENTENCE = (
    "an ARN is given as a location; write s3://bucket/prefix, where the bucket of an access point "
    "is its alias, which ends in -s3alias"
)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Region, endpoint and access of S3.

    The driver reads them from its environment and sends them to the workers, whose environment may
    differ.  ``anonymous``: without credentials, for a public bucket.
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
    """A local folder or a prefix in S3.

    ``base`` is an absolute local path, or ``bucket/prefix`` with ``s3``; it never ends in ``/``.
    """

    base: str
    s3: S3Settings | None = None

    @property
    def uri(self) -> str:
        """The URI for manifests and messages; ``~`` replaces the home folder, a person's name."""
        if self.s3:
            return f"s3://{self.base}"
        home = home_folder()
        if home is None or not f"{self.base}/".startswith(f"{home}/"):
            return self.base
        return f"~{self.base.removeprefix(home)}"

    @property
    def filesystem(self) -> pyarrow.fs.FileSystem:
        """The Arrow filesystem, with credentials that are valid for at least ten minutes.

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
        """The key prefix in S3, empty or ending in ``/``."""
        prefix = self.base.partition("/")[2]
        return f"{prefix}/" if prefix else ""

    def child(self, *names: str) -> "Location":
        return Location("/".join((self.base, *names)), self.s3)

    def contains(self, other: "Location") -> bool:
        return self._storage == other._storage and f"{other.base}/".startswith(
            f"{self.base.rstrip('/')}/"
        )

    @property
    def _storage(self) -> tuple[str | None] | None:
        """The endpoint of the storage, or None for this machine."""
        return None if self.s3 is None else (self.s3.endpoint_url,)


def parse_location(uri: str, *, anonymous: bool = False) -> Location:
    """Parse a local path, ``file:``, ``s3://`` or ``s3a://``; the scheme in any case.

    Nothing is URL-decoded: ``%20`` is three characters.  Letters and a colon begin a URI (RFC
    3986): ``s3:/bucket`` or ``results:v2`` never becomes a folder of that name, and
    ``./results:v2`` and ``2026-01-01T10:00`` are local paths.

    ``anonymous``: read S3 without credentials.

    Raises FruitsError for any other scheme, an S3 URI without a bucket, an unknown user, and
    characters that cannot be printed in one line.
    """
    _check_characters(uri)
    match = _SCHEME.match(uri)
    if match is None:
        return Location(_absolute(_with_home(uri)))
    scheme, rest = match[1].lower(), uri[match.end() :]
    if scheme == "file":
        return Location(_absolute(_path_of_file_uri(uri, rest)))
    if scheme in ("s3", "s3a"):
        return Location(
            _bucket_and_prefix(uri, rest), S3Settings.from_environment(anonymous=anonymous)
        )
    if scheme == "arn":
        raise FruitsError(_ARN_SENTENCE)
    slashes = "//" if rest.startswith("//") else ""
    or_folder = "" if slashes else f", or ./{uri} for a folder of that name"
    raise FruitsError(
        f"{uri} begins with {match[0]}{slashes}, which is not supported; "
        f"give a local folder, file://, s3:// or s3a://{or_folder}"
    )


def _check_characters(uri: str) -> None:
    if not uri.strip():
        raise FruitsError("the location is empty; give a folder or s3://bucket/prefix")
    if _UNPRINTABLE.search(uri) or uri != uri.strip():
        raise FruitsError(
            f"the location {uri!r} holds a control character, bytes that are not UTF-8, or a blank "
            "at an end; give one without"
        )


def _with_home(path: str) -> str:
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise FruitsError(
            f"{path} names the home folder of a user who is not known here; "
            f"write ./{path} for a folder of that name"
        )
    return expanded


def _absolute(path: str) -> str:
    # Two slashes at the beginning are kept by pathlib, and mean the same as one.
    return f"/{str(Path(path).absolute()).lstrip('/')}"


def _path_of_file_uri(uri: str, rest: str) -> str:
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    if host.lower() not in ("", "localhost"):
        raise FruitsError(f"{uri} names another host; write file:///folder")
    path = slash + path
    if not path.startswith("/"):
        raise FruitsError(f"{uri} names no folder from / on; write file:///folder")
    return path


def _bucket_and_prefix(uri: str, rest: str) -> str:
    base = rest.removeprefix("//").rstrip("/")
    bucket = base.partition("/")[0]
    if not rest.startswith("//") or not bucket:
        raise FruitsError(f"{uri} names no bucket; write s3://bucket/prefix")
    if bucket.startswith("arn:"):
        raise FruitsError(_ARN_SENTENCE)
    if "@" in bucket:  # a key and its secret, which is not repeated
        raise FruitsError(
            "a location in S3 holds an @, as with credentials; write s3://bucket/prefix, and give "
            "credentials by AWS's own variables or files"
        )
    if not _BUCKET.fullmatch(bucket):
        raise FruitsError(
            f"{bucket} is no name of a bucket, which has 3 to 63 lower-case letters, digits, dots "
            "and hyphens, begins and ends with a letter or digit, has no two dots side by side and "
            f"is no IP address; write s3://bucket/prefix"
        )
    return base


@lru_cache(maxsize=8)
def _filesystem(s3: S3Settings | None, keys: "ReadOnlyCredentials | None") -> pyarrow.fs.FileSystem:
    if s3 is None:
        return pyarrow.fs.LocalFileSystem()
    endpoint = urlsplit(s3.endpoint_url) if s3.endpoint_url else None
    return pyarrow.fs.S3FileSystem(
        # Explicit: Arrow would search for others, and send unsigned requests without them.
        access_key=keys and keys.access_key,
        secret_key=keys and keys.secret_key,
        session_token=keys and keys.token,
        anonymous=s3.anonymous,
        region=s3.region,
        endpoint_override=endpoint.netloc if endpoint else None,
        scheme=endpoint.scheme if endpoint else "https",
        connect_timeout=10,
        request_timeout=60,
        # One request instead of three writes a file below 10 MB, and a killed writer leaves no
        # unfinished upload.
        allow_delayed_open=True,
    )


def home_folder() -> str | None:
    """Return the home folder of the user; None if unknown or ``/``."""
    home = os.path.expanduser("~").rstrip("/")
    return home if home.startswith("/") else None


def user_folder() -> Path:
    """Return the home folder, or the temporary one: a container's user may have no home."""
    return Path(home_folder() or gettempdir())
