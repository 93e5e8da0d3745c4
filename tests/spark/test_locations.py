from pathlib import Path

import pytest

from spark_assets.errors import FruitsError
from spark_assets.locations import S3Settings, parse_location, parse_output_location


def test_local_forms_mean_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forms = [str(tmp_path / "a"), "a", f"file://{tmp_path}/a", f"file://{tmp_path}/a/"]
    assert {parse_location(form).base for form in forms} == {f"{tmp_path}/a"}


@pytest.mark.parametrize("uri", ["s3://bucket/some/prefix", "s3a://bucket/some/prefix/"])
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


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("", "name a folder or s3://bucket/prefix"),
        ("gs://bucket", "begins with gs://, which is not supported; give a local folder"),
        ("s3://", "names no bucket; write s3://bucket/prefix"),
        ("file://host/folder", "names another host"),
    ],
)
def test_other_places_are_refused_with_what_is_allowed(uri, sentence):
    with pytest.raises(FruitsError, match=sentence):
        parse_location(uri)


def test_an_output_that_spark_would_read_as_a_pattern_is_refused(tmp_path):
    with pytest.raises(FruitsError, match="choose a name without them"):
        parse_output_location(str(tmp_path / "out[1]"))


def test_containment_is_by_folder_and_not_by_letters(tmp_path: Path):
    images = parse_location(str(tmp_path / "photos"))
    assert images.contains(images)
    assert images.contains(images.child("out"))
    assert not images.contains(parse_location(str(tmp_path / "photos-out")))
