import re
from pathlib import Path

import pytest

from spark_assets.errors import FruitsError
from spark_assets.storage.locations import S3Settings, home_folder, parse_location


def test_local_forms_mean_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forms = [
        str(tmp_path / "a"),
        "a",
        "./a/",
        f"/{tmp_path}//a",
        f"file:{tmp_path}/a",
        f"file://{tmp_path}/a",
        f"file://{tmp_path}/a/",
        f"file:///{tmp_path}//a",
        f"FILE://{tmp_path}/a",
        f"file://localhost{tmp_path}/a",
        f"file://LOCALHOST{tmp_path}/a",
    ]
    assert {parse_location(form).base for form in forms} == {f"{tmp_path}/a"}


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/some/prefix", "s3a://bucket/some/prefix/", "S3://bucket/some/prefix"],
)
def test_s3_forms_mean_the_same_prefix(uri):
    location = parse_location(uri)
    assert (location.bucket, location.prefix) == ("bucket", "some/prefix/")
    assert location.uri == "s3://bucket/some/prefix"


def test_the_endpoint_comes_from_the_standard_variable(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9000")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    expected = S3Settings(region="eu-central-1", endpoint_url="http://localhost:9000")
    assert parse_location("s3://bucket").s3 == expected


def test_the_home_folder_is_not_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    location = parse_location(str(tmp_path / "photos"))
    assert location.uri == "~/photos"
    assert parse_location(location.uri) == location
    assert parse_location(f"{tmp_path}-other/photos").uri == f"{tmp_path}-other/photos"


REFUSED = [
    ("", "the location is empty; give a folder or s3://bucket/prefix"),
    (" \t", "the location is empty"),
    ("gs://bucket", "begins with gs://, which is not supported; give a local folder"),
    ("s3n://bucket/x", "begins with s3n://, which is not supported"),
    ("hdfs:/x", "hdfs:/x begins with hdfs:, which is not supported; give a local folder"),
    ("https://bucket.s3.amazonaws.com/x", "begins with https://, which is not supported"),
    ("C:\\photos", "begins with C:, which is not supported"),
    ("c:/photos", "begins with c:, which is not supported"),
    ("results:v2", "or ./results:v2 for a folder of that name"),
    ("s3://", "names no bucket; write s3://bucket/prefix"),
    ("s3:///out", "names no bucket; write s3://bucket/prefix"),
    ("s3:/bucket/out", "names no bucket; write s3://bucket/prefix"),
    ("s3:bucket/out", "names no bucket; write s3://bucket/prefix"),
    ("S3A:/bucket", "names no bucket; write s3://bucket/prefix"),
    ("s3://Bucket/out", "Bucket is no name of a bucket, which has 3 to 63 lower-case letters"),
    ("s3://ab", "ab is no name of a bucket"),
    (f"s3://{'b' * 64}", "is no name of a bucket"),
    ("s3://my_bucket", "is no name of a bucket"),
    ("s3://-bucket", "is no name of a bucket"),
    ("s3://bucket.", "is no name of a bucket"),
    ("s3://a..b", "is no name of a bucket"),
    ("s3://192.168.0.1/x", "is no name of a bucket"),
    ("s3://{bucket}/out", "is no name of a bucket"),
    ("s3://pêches/out", "is no name of a bucket"),
    ("file:folder", "names no folder from / on; write file:///folder"),
    ("file:", "names no folder from / on"),
    ("file://", "names no folder from / on"),
    ("file://host/folder", "names another host"),
    ("file://localhosts/folder", "names another host"),
    ("~nobody-of-that-name", "write ./~nobody-of-that-name for a folder of that name"),
    ("~nobody-of-that-name/out", "names the home folder of a user who is not known here"),
    ("a\nb", r"the location 'a\nb' holds a control character"),
    ("a\0b", r"the location 'a\x00b' holds a control character"),
    ("s3://bucket/a\x1b[2Jb", r"\x1b[2Jb' holds a control character"),
    ("caf\udce9", r"the location 'caf\udce9' holds a control character, bytes that are not UTF-8"),
    (" s3://bucket", "or a blank at an end; give one without"),
    ("out ", "or a blank at an end; give one without"),
]


@pytest.mark.parametrize(("uri", "sentence"), REFUSED)
def test_other_places_are_refused_with_what_is_allowed(uri, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FruitsError, match=re.escape(sentence)) as caught:
        parse_location(uri)
    assert str(caught.value).isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "uri",
    [
        "arn:aws:s3:eu-central-1:123456789012:accesspoint/photographs",
        "ARN:aws:s3:::bucket/prefix",
        "s3://arn:aws:s3:eu-central-1:123456789012:accesspoint/photographs/out",
    ],
)
def test_an_arn_is_refused_with_what_stands_for_it_and_not_repeated(uri):
    with pytest.raises(FruitsError, match="the bucket of an access point is its alias") as caught:
        parse_location(uri)
    assert "123456789012" not in str(caught.value)


def test_credentials_in_a_place_are_refused_and_not_repeated():
    with pytest.raises(FruitsError, match="give credentials by AWS's own variables") as caught:
        parse_location("s3a://AKIA:secret@bucket/out")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "bucket",
    ["abc", "b" * 63, "a.b-c.d1", "1.2.3.a", "my-access-point-1a2b3c-s3alias", "xn--not-checked"],
)
def test_every_name_that_a_bucket_or_an_alias_may_have_is_taken(bucket):
    assert parse_location(f"s3://{bucket}/a").bucket == bucket


@pytest.mark.parametrize(
    "path",
    ["./a:b", "./s3:/bucket", "2026-01-01T10:00", "a/b:c", "a%20b", "é:f", "_a:b", "a b", "~x"],
)
def test_a_local_name_may_hold_any_of_these(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = f"./{path}" if path.startswith("~") else path
    location = parse_location(given)
    assert location.base == f"{tmp_path}/{path.removeprefix('./')}"
    assert parse_location(location.uri) == location


def test_nothing_in_a_file_uri_is_url_encoded():
    assert parse_location("file:///a%20b").base == "/a%20b"


def test_a_user_without_a_home_folder_is_no_error(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    location = parse_location("/photos")
    assert (location.uri, home_folder()) == ("/photos", None)
    with pytest.raises(FruitsError, match="a user who is not known here"):
        parse_location("~/photos")


def test_containment_is_by_folder_and_not_by_letters(tmp_path: Path):
    images = parse_location(str(tmp_path / "photos"))
    assert images.contains(images)
    assert images.contains(images.child("out"))
    assert not images.contains(parse_location(str(tmp_path / "photos-out")))
    assert parse_location("/").contains(images)
