"""Which permissions an S3 request needs, as the Amazon S3 API Reference names them.

The table is that of "Required permissions for Amazon S3 API operations" in the Amazon S3 User
Guide, as far as the project asks; a request that is not in it is refused with an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import xmltodict

# Of a subresource in the query; without any, the last.
_OF_BUCKET = {
    "GET": {
        "uploads": "ListBucketMultipartUploads",
        "versions": "ListBucketVersions",
        "versioning": "GetBucketVersioning",
        "location": "GetBucketLocation",
        "": "ListBucket",
    },
    "HEAD": {"": "ListBucket"},
    "PUT": {"versioning": "PutBucketVersioning", "": "CreateBucket"},
    "DELETE": {"": "DeleteBucket"},
}
_OF_OBJECT = {
    "GET": {
        "uploadId": "ListMultipartUploadParts",
        "versionId": "GetObjectVersion",
        "": "GetObject",
    },
    "HEAD": {"versionId": "GetObjectVersion", "": "GetObject"},
    "PUT": {"tagging": "PutObjectTagging", "": "PutObject"},
    "POST": {"uploads": "PutObject", "uploadId": "PutObject"},
    "DELETE": {
        "uploadId": "AbortMultipartUpload",
        "versionId": "DeleteObjectVersion",
        "": "DeleteObject",
    },
}
_LISTS = ("ListBucket", "ListBucketVersions")
_READS = ("GetObject", "GetObjectVersion")
_ENCRYPTION = "x-amz-server-side-encryption"
# Headers of a write that need a permission of their own.
_BY_HEADER = {"x-amz-acl": "PutObjectAcl", "x-amz-tagging": "PutObjectTagging"}


@dataclass(frozen=True)
class S3Request:
    """One request.  Names of headers are lower-case; keys are as they are stored."""

    method: str
    bucket: str
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Access:
    """One thing that policies are asked: an action on a resource, and keys of conditions."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def s3_accesses(request: S3Request, *, is_missing: bool = False) -> list[Access]:
    """Return all that S3 asks the policies; ``is_missing`` where the key to read has no object.

    Raises LookupError for a request that is not in the table.
    """
    return list(_accesses(request, is_missing))


def _accesses(request: S3Request, is_missing: bool) -> Iterator[Access]:
    bucket = f"arn:aws:s3:::{request.bucket}"
    if request.method == "POST" and "delete" in request.query:
        yield from _deletions(bucket, request.body)
        return
    if not request.key:
        action = _action(_OF_BUCKET, request)
        asked = {"s3:prefix": request.query["prefix"]} if "prefix" in request.query else {}
        yield Access(f"s3:{action}", bucket, asked if action in _LISTS else {})
        return
    thing = f"{bucket}/{request.key}"
    action = _action(_OF_OBJECT, request)
    yield Access(f"s3:{action}", thing)
    if action in _READS and is_missing:
        # Without it S3 answers 403 where it would answer 404, and so reveals nothing.
        yield Access("s3:ListBucket", bucket, {"s3:prefix": request.key})
    if action in ("PutObject", "DeleteObject"):
        # That an ETag is the same is known to who may read alone.
        if request.headers.get("if-match", "*") != "*":
            yield Access("s3:GetObject", thing)
        for header in _BY_HEADER.keys() & request.headers.keys():
            yield Access(f"s3:{_BY_HEADER[header]}", thing)
        if (source := copy_source(request)) is not None:
            yield Access(f"s3:{_action(_OF_OBJECT, source)}", _arn(source))


def key_accesses(request: S3Request, keys: Mapping[str, str]) -> list[Access]:
    """Return what S3 asks the policies in the name of who requests, to encrypt and decrypt.

    ``keys`` has the KMS key by which each bucket encrypts what it is given, by its ARN; a bucket
    that S3's own keys encrypt is not in it.  Raises LookupError for a request that asks for
    another key than that of its bucket.
    """
    if (wanted := request.headers.get(_ENCRYPTION)) is not None:
        key = request.headers.get(f"{_ENCRYPTION}-aws-kms-key-id")
        if wanted != "aws:kms" or key is None or key != keys.get(request.bucket):
            raise LookupError(f"{_ENCRYPTION} is {wanted} {key}, which is not the bucket's own")
    found = []
    if (source := copy_source(request)) is not None:
        found.append((source.bucket, "kms:Decrypt"))
    found += [(request.bucket, action) for action in _key_actions(request)]
    return [
        Access(action, keys[bucket], _key_context(bucket))
        for bucket, action in found
        if bucket in keys
    ]


def copy_source(request: S3Request) -> S3Request | None:
    """Return the request that reads what a request copies, None where it copies nothing."""
    if (source := request.headers.get("x-amz-copy-source")) is None:
        return None
    path, _, version = source.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    return S3Request("GET", bucket, key, {"versionId": version} if version else {})


def _action(table: Mapping[str, Mapping[str, str]], request: S3Request) -> str:
    actions = table.get(request.method, {})
    found = next((each for each in actions if each in request.query), "")
    if found not in actions:
        what = f"{request.method} {_arn(request)} {sorted(request.query)}"
        raise LookupError(f"which permission {what} needs is not in the table; add it")
    return actions[found]


def _arn(request: S3Request) -> str:
    return f"arn:aws:s3:::{request.bucket}/{request.key}"


def _deletions(bucket: str, body: bytes) -> Iterator[Access]:
    given = xmltodict.parse(body, force_list=("Object",), strip_whitespace=False)
    for each in given["Delete"]["Object"]:
        action = "DeleteObjectVersion" if "VersionId" in each else "DeleteObject"
        yield Access(f"s3:{action}", f"{bucket}/{each['Key']}")


def _key_actions(request: S3Request) -> tuple[str, ...]:
    if not request.key:
        return ()
    of_upload = "uploadId" in request.query
    match request.method:
        case "GET":
            return () if of_upload else ("kms:Decrypt",)
        case "HEAD":  # the checksum of an object is encrypted as its content is
            return ("kms:Decrypt",) if "x-amz-checksum-mode" in request.headers else ()
        case "PUT":
            return ("kms:GenerateDataKey", "kms:Decrypt") if of_upload else ("kms:GenerateDataKey",)
        case "POST":
            return ("kms:Decrypt",) if of_upload else ("kms:GenerateDataKey",)
    return ()


def _key_context(bucket: str) -> dict[str, str]:
    # With a bucket key, the bucket is the context and not the object.
    return {
        "kms:ViaService": "s3.eu-central-1.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
    }
