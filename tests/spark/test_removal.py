"""Photographs removed for good: in S3 every version of exactly the keys that are named.

moto checks no permission, so the refusal for a missing one is made by a stub.
"""

import os
from datetime import UTC, datetime, timedelta

import botocore.exceptions
import pytest

from spark_assets.errors import FruitsError
from spark_assets.removal import remove_files as removing
from spark_assets.removal import remove_objects as removing_objects
from spark_assets.removal.remove_files import (
    count_versions,
    paths_under,
    purge_old_versions,
    remove_files,
)
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.s3 import s3_client

BUCKET = "photographs"


@pytest.fixture
def images(emulated_aws) -> Location:
    return parse_location(f"s3://{BUCKET}/images")


@pytest.fixture
def client(images):
    return s3_client(images.s3)


@pytest.fixture
def versioned(client):
    client.create_bucket(Bucket=BUCKET)
    versioning = {"Status": "Enabled"}
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)
    return client


def put(client, path: str, content: bytes = b"photograph") -> str:
    answer = client.put_object(Bucket=BUCKET, Key=f"images/{path}", Body=content)
    return answer.get("VersionId", "null")


def left(client, prefix: str = "") -> list[str]:
    answer = client.list_object_versions(Bucket=BUCKET, Prefix=prefix)
    kinds = (answer.get("Versions", ()), answer.get("DeleteMarkers", ()))
    return sorted(one["Key"] for kind in kinds for one in kind)


def test_every_version_and_marker_goes_and_no_neighbour(images, versioned):
    for path in ("a.jpg", "a.jpg", "a.jpg.bak", "a.jp", "b/a.jpg"):
        put(versioned, path)
    versioned.delete_object(Bucket=BUCKET, Key="images/a.jpg")
    assert count_versions(images, "a.jpg") == 3
    removal = remove_files(images, ["a.jpg", "never there.jpg"])
    assert (removal.n_removed, removal.refusals) == (3, ())
    assert left(versioned) == ["images/a.jp", "images/a.jpg.bak", "images/b/a.jpg"]
    assert remove_files(images, ["a.jpg"]).n_removed == 0


def test_unfinished_uploads_of_it_go_too(images, versioned):
    for path in ("a.jpg", "a.jpg.bak"):
        upload = versioned.create_multipart_upload(Bucket=BUCKET, Key=f"images/{path}")
        versioned.upload_part(
            Bucket=BUCKET,
            Key=f"images/{path}",
            UploadId=upload["UploadId"],
            PartNumber=1,
            Body=b"x",
        )
    assert count_versions(images, "a.jpg") == 1
    assert remove_files(images, ["a.jpg"]).n_removed == 1
    uploads = versioned.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [one["Key"] for one in uploads] == ["images/a.jpg.bak"]


# moto takes no control characters in a key; tests/operations/aws/test_empty.py deletes such ones.
@pytest.mark.parametrize("path", ["é ü%20+#'\".jpg", "a//b.jpg", "\U0001f34e.jpg", "a+b&c=d.jpg"])
def test_any_name_is_removed_byte_for_byte(images, versioned, path):
    put(versioned, path)
    put(versioned, "other.jpg")
    assert remove_files(images, [path]).n_removed == 1
    assert left(versioned) == ["images/other.jpg"]


def test_a_bucket_without_versions_works_alike(images, client):
    client.create_bucket(Bucket=BUCKET)
    put(client, "a.jpg")
    assert remove_files(images, ["a.jpg"]).n_removed == 1
    assert left(client) == []


def test_object_lock_is_told_and_is_no_success(images, client):
    client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    client.put_object(
        Bucket=BUCKET,
        Key="images/a.jpg",
        Body=b"locked",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
    )
    put(client, "b.jpg")
    removal = remove_files(images, ["a.jpg", "b.jpg"])
    assert removal.n_removed == 1
    ((path, why),) = removal.refusals
    assert path == "a.jpg"
    assert "Object Lock" in why
    assert left(client) == ["images/a.jpg"]


def test_a_missing_permission_is_told_with_what_it_takes(images, versioned, monkeypatch):
    put(versioned, "a.jpg")

    def denied(*_, **__):
        error = {"Code": "AccessDenied", "Message": "arn:aws:iam::123456789012:user/somebody"}
        raise botocore.exceptions.ClientError({"Error": error}, "ListObjectVersions")

    monkeypatch.setattr(removing_objects, "_versions_of", denied)
    ((_, why),) = remove_files(images, ["a.jpg"]).refusals
    assert "s3:DeleteObjectVersion" in why
    assert "123456789012" not in why


def test_paths_below_a_prefix_include_those_that_were_deleted(images, versioned):
    for path in ("person 1/a.jpg", "person 1/b.jpg", "person 1/b.jpg", "person 10/c.jpg"):
        put(versioned, path)
    versioned.delete_object(Bucket=BUCKET, Key="images/person 1/a.jpg")
    assert list(paths_under(images, "person 1/")) == ["person 1/a.jpg", "person 1/b.jpg"]


def test_a_purge_leaves_what_is_current(images, versioned):
    put(versioned, "a.jpg", b"old")
    put(versioned, "a.jpg", b"new")
    put(versioned, "deleted.jpg")
    versioned.delete_object(Bucket=BUCKET, Key="images/deleted.jpg")
    versioned.put_object(Bucket=BUCKET, Key="elsewhere/a.jpg", Body=b"old")
    versioned.put_object(Bucket=BUCKET, Key="elsewhere/a.jpg", Body=b"new")
    versioned.create_multipart_upload(Bucket=BUCKET, Key="images/half.jpg")
    assert purge_old_versions(images).n_removed == 4
    assert left(versioned, "images/") == ["images/a.jpg"]
    assert versioned.get_object(Bucket=BUCKET, Key="images/a.jpg")["Body"].read() == b"new"
    assert left(versioned, "elsewhere/") == ["elsewhere/a.jpg", "elsewhere/a.jpg"]
    assert "Uploads" not in versioned.list_multipart_uploads(Bucket=BUCKET)


class TestLocal:
    @pytest.fixture
    def folder(self, tmp_path) -> Location:
        for path in ("a.jpg", "a.jpg.bak", "b/a.jpg", "b/line\nbreak.jpg"):
            file = tmp_path / "images" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"photograph")
        return parse_location(str(tmp_path / "images"))

    def test_a_file_goes_and_no_neighbour(self, folder):
        removal = remove_files(folder, ["a.jpg", "b/line\nbreak.jpg", "b/nowhere.jpg"])
        assert (removal.n_removed, removal.refusals) == (2, ())
        assert sorted(paths_under(folder, "")) == ["a.jpg.bak", "b/a.jpg"]
        assert list(paths_under(folder, "b/")) == ["b/a.jpg"]
        assert purge_old_versions(folder).n_removed == 0

    def test_a_link_goes_and_not_what_it_leads_to(self, folder, tmp_path):
        (tmp_path / "kept.jpg").write_bytes(b"kept")
        os.symlink(tmp_path / "kept.jpg", tmp_path / "images/link.jpg")
        assert remove_files(folder, ["link.jpg"]).n_removed == 1
        assert (tmp_path / "kept.jpg").exists()

    def test_a_name_that_is_no_text_is_found_in_its_readable_form(self, folder, tmp_path):
        (tmp_path / "images" / os.fsdecode(b"\xff.jpg")).write_bytes(b"photograph")
        assert count_versions(folder, "\\xff.jpg") == 1
        assert remove_files(folder, ["\\xff.jpg"]).n_removed == 1
        assert count_versions(folder, "\\xff.jpg") == 0

    def test_a_file_that_cannot_be_removed_is_told(self, folder, monkeypatch):
        def refuse(_file):  # no permission refuses root
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(removing.os, "unlink", refuse)
        ((path, why),) = remove_files(folder, ["a.jpg"]).refusals
        assert (path, why) == ("a.jpg", "Permission denied; check the permissions of the folder")

    @pytest.mark.parametrize("path", ["../a.jpg", "b/../../a.jpg", ""])
    def test_what_leads_out_of_the_folder_is_refused(self, folder, path):
        with pytest.raises(FruitsError, match="leads out of the images"):
            remove_files(folder, [path])

    def test_a_path_from_the_root_stays_in_the_folder(self, folder, tmp_path):
        outside = tmp_path / "outside.jpg"
        outside.touch()
        assert list(paths_under(folder, f"{tmp_path}/")) == []
        assert remove_files(folder, [str(outside)]).n_removed == 0
        assert outside.exists()


def test_a_key_that_begins_with_a_slash_is_a_photograph(images, client):
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="images//1.jpg", Body=b"")
    assert list(paths_under(images, "/")) == ["/1.jpg"]
    assert remove_files(images, ["/1.jpg"]).n_removed == 1


@pytest.mark.parametrize(
    "work", [purge_old_versions, lambda images: remove_files(images, ["1.jpg"])]
)
def test_a_deleted_photograph_whose_version_is_locked_does_not_come_back(images, client, work):
    client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    client.put_object(Bucket=BUCKET, Key="images/1.jpg", Body=b"", ObjectLockLegalHoldStatus="ON")
    client.delete_object(Bucket=BUCKET, Key="images/1.jpg")
    assert len(work(images).refusals) == 1
    assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_purge_of_more_than_one_answer_lists_leaves_nothing_old(images, versioned):
    keys = [{"Key": f"images/{index}.jpg"} for index in range(60)]
    for each in keys:
        versioned.put_object(Bucket=BUCKET, Body=b"", **each)
    for _ in range(20):
        versioned.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    put(versioned, "kept.jpg")
    assert purge_old_versions(images).n_removed == 60 * 21
    assert left(versioned) == ["images/kept.jpg"]


def test_a_file_behind_a_link_that_leads_out_stays_and_is_told(tmp_path):
    for name in ("photographs", "elsewhere"):
        (tmp_path / name).mkdir()
    outside = tmp_path / "elsewhere" / "1.jpg"
    outside.write_bytes(b"photograph")
    (tmp_path / "photographs" / "link").symlink_to(outside.parent)
    removal = remove_files(parse_location(str(tmp_path / "photographs")), ["link/1.jpg"])
    assert removal.n_removed == 0
    assert [path for path, _ in removal.refusals] == ["link/1.jpg"]
    assert outside.exists()


def test_what_cannot_be_seen_is_not_taken_for_gone(tmp_path, monkeypatch):
    """Whoever runs this may be root, whom no mode stops: looking fails by itself."""

    def refuse(_path):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(removing.os, "lstat", refuse)
    folder = parse_location(str(tmp_path))
    assert len(remove_files(folder, ["1.jpg"]).refusals) == 1
    with pytest.raises(FruitsError, match="cannot be listed: Permission denied"):
        count_versions(folder, "1.jpg")
