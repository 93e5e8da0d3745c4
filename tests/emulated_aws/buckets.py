"""Buckets that keep versions: from a template, and listed as S3 does."""

from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend

_make = FakeBucket.create_from_cloudformation_json
_list = S3Backend.list_objects


def add() -> None:
    """Put both into moto."""
    FakeBucket.create_from_cloudformation_json = staticmethod(_make_with_versions)
    S3Backend.list_objects = _list_what_is_there


def _make_with_versions(
    resource_name: str, cloudformation_json: Any, *more: Any, **named: Any
) -> FakeBucket:
    bucket = _make(resource_name, cloudformation_json, *more, **named)
    versioning = cloudformation_json.get("Properties", {}).get("VersioningConfiguration")
    if versioning is not None:
        bucket.versioning_status = versioning["Status"]
    return bucket


def _list_what_is_there(self: S3Backend, bucket: Any, *more: Any, **named: Any) -> Any:
    """Leave out folders in which all is deleted: moto lists those of delete markers too."""
    keys, folders, *rest = _list(self, bucket, *more, **named)
    there = [name for name, key in bucket.keys.items() if not isinstance(key, FakeDeleteMarker)]
    kept = [folder for folder in folders if any(name.startswith(folder) for name in there)]
    return keys, kept, *rest
