"""Listing and reading in S3, against a server that speaks the protocol (moto, its own process).

moto checks no permissions, so the sentence for a forbidden bucket is tested on the error itself.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.exceptions
import pyarrow.parquet as pq
import pytest

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import save_feature_model
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images import listing
from spark_assets.images.listing import ImageEntry, list_images
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.output.manifest import read_run, run_ids
from spark_assets.output.output import REPORT, Output
from spark_assets.storage.files import names_in, write_bytes
from spark_assets.storage.locations import parse_location
from tests.moto_server import moto_server
from tests.spark.images import encode, picture
from tests.spark.runs import save

BUCKET = "photographs"
KEYS = [
    "fruit/pomme verte/é à.jpg",
    "fruit/100%25/a+b#c?d&e.jpg",
    "fruit/quotes/\"a\" 'b'.jpg",
    "fruit/_DSC0001.JPG",
    "fruit/no ending",
    "fruit/" + "x" * 200 + ".jpg",
]


@pytest.fixture(scope="module")
def server_log(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("moto") / "log"


@pytest.fixture(scope="module")
def endpoint(starts_processes, server_log) -> Iterator[str]:
    with moto_server(server_log) as url:
        yield url


@pytest.fixture(autouse=True)
def environment(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.fixture
def bucket(endpoint):
    client = boto3.client("s3", region_name="eu-central-1", endpoint_url=endpoint)
    place = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)


def put(client, key: str, content: bytes = b"content") -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=content)


def listed(uri: str) -> list[str]:
    paths: list[str] = list_images(parse_location(uri))["path"].to_pylist()
    return paths


def test_every_legal_key_is_listed_byte_for_byte(bucket):
    for key in KEYS:
        put(bucket, key)
    expected = sorted(key.removeprefix("fruit/") for key in KEYS)
    assert listed(f"s3://{BUCKET}/fruit") == expected


def test_folder_objects_and_spark_files_are_no_images(bucket):
    for key in ("fruit/", "fruit/a/", "fruit/a_$folder$", "fruit/_SUCCESS", "fruit/.hidden"):
        put(bucket, key, b"")
    put(bucket, "fruit/a/1.jpg")
    assert listed(f"s3://{BUCKET}/fruit/") == ["a/1.jpg"]


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(bucket):
    put(bucket, "fruit/1.jpg")
    put(bucket, "fruit-salad/2.jpg")
    assert listed(f"s3://{BUCKET}/fruit") == ["1.jpg"]


def test_more_keys_than_one_answer_holds_are_all_listed(bucket):
    for index in range(1010):
        put(bucket, f"fruit/{index}.jpg", b"")
    assert len(listed(f"s3://{BUCKET}/fruit")) == 1010


def test_the_content_comes_back_byte_for_byte(bucket):
    for key in KEYS:
        put(bucket, key, key.encode())
    reader = ImageReader(parse_location(f"s3://{BUCKET}/fruit"), limits=ImageLimits())
    for key in KEYS:
        entry = ImageEntry(key.removeprefix("fruit/"), len(key.encode()), None)
        assert reader(entry) == key.encode()


def test_a_key_that_is_gone_is_unreadable(bucket):
    reader = ImageReader(parse_location(f"s3://{BUCKET}/fruit"), limits=ImageLimits())
    with pytest.raises(ImageRejected) as caught:
        reader(ImageEntry("gone.jpg", 10, None))
    assert caught.value.reason is Reason.UNREADABLE


def test_an_image_is_one_request(bucket, server_log):
    for index in range(20):
        put(bucket, f"fruit/{index}.jpg", b"x" * index)
    reader = ImageReader(parse_location(f"s3://{BUCKET}/fruit"), limits=ImageLimits())
    before = server_log.stat().st_size
    for image in ReadAhead(n_readers=8).read(
        [ImageEntry(f"{index}.jpg", index, None) for index in range(20)], reader
    ):
        assert image.content == b"x" * int(image.entry.path.removesuffix(".jpg"))
    requests = re.findall(r'"([A-Z]+) /photographs/', server_log.read_bytes()[before:].decode())
    assert requests == ["GET"] * 20


@pytest.mark.parametrize(
    "key",
    [
        "a//b.jpg",
        "/a.jpg",
        "a/",
        "../a.jpg",
        "a/./b.jpg",
        "tab\t.jpg",
        "a~b*c!(1)@$=;:,\\^`{}|<>[]",
    ],
)
def test_a_key_of_any_form_is_read_and_no_other_one_in_its_place(bucket, key):
    for decoy in ("a/b.jpg", "a.jpg", "a", "tab.jpg"):
        put(bucket, f"fruit/{decoy}", b"another image")
    put(bucket, f"fruit/{key}", b"this image")
    for prefix in ("/fruit", ""):
        reader = ImageReader(parse_location(f"s3://{BUCKET}{prefix}"), limits=ImageLimits())
        path = key if prefix else f"fruit/{key}"
        assert reader(ImageEntry(path, None, None)) == b"this image"
        with pytest.raises(ImageRejected, match="no longer there"):
            reader(ImageEntry(f"{path} is gone", None, None))


@pytest.mark.parametrize("key", ["a.jpg", "a//b.jpg"])
def test_a_large_object_is_rejected_before_it_is_read(bucket, key):
    put(bucket, f"fruit/{key}", b"123456")
    reader = ImageReader(parse_location(f"s3://{BUCKET}/fruit"), limits=ImageLimits(max_bytes=5))
    with pytest.raises(ImageRejected) as caught:
        reader(ImageEntry(key, None, None))
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_bucket_that_is_not_there_gets_one_sentence(endpoint):
    with pytest.raises(FruitsError, match="the bucket nowhere does not exist; check the name"):
        listed("s3://nowhere/fruit")


@pytest.mark.parametrize("code", ["AccessDenied", "403"])
def test_a_forbidden_bucket_gets_one_sentence_with_the_rights_to_ask_for(code):
    error = botocore.exceptions.ClientError({"Error": {"Code": code}}, "ListObjectsV2")
    told = listing._s3_sentence(parse_location("s3://secret/fruit"), error)
    assert told.startswith("access to s3://secret/fruit is denied; ask for s3:ListBucket")


@pytest.mark.slow
def test_a_run_reads_from_s3_and_writes_there_and_adds_what_is_new(bucket, seeded_model, tmp_path):
    """As commands, in the process itself and then in workers, which take its credentials.

    No connector of Spark's for S3 is there, nor is one downloaded.
    """
    for index in range(6):
        put(bucket, f"fruit/kiwi/{index}.jpg", encode(picture(seed=index)))
    put(bucket, "fruit/kiwi/broken.jpg", b"")
    command = [
        str(Path(sys.executable).parent / "fruits"), "run", "--max-rejected", "1",
        "--images", f"s3://{BUCKET}/fruit", "--output", f"s3://{BUCKET}/out", "--n-components", "2",
        "--model", str(save(seeded_model, tmp_path / "model")),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=900)
    put(bucket, "fruit/kiwi/new.jpg", encode(picture(seed=9)))
    subprocess.run([*command, "--master", "local[2]"], check=True, timeout=900)
    location = parse_location(f"s3://{BUCKET}/out")
    output = Output.open(location)
    first, second = (read_run(output, run_id) for run_id in run_ids(output))
    assert first.images_uri == f"s3://{BUCKET}/fruit"
    assert (first.counts.n_features, first.counts.n_rejected) == (6, 1)
    assert (second.counts.n_features, second.counts.n_known) == (1, 7)
    reduced = pq.read_table(location.child("reduced").base, filesystem=location.filesystem)
    assert sorted(reduced["path"].to_pylist()) == sorted(
        f"kiwi/{name}.jpg" for name in [*range(6), "new"]
    )
    assert output.read(REPORT) is not None
    assert names_in(location) == [
        "feature_model", "features", "pca_model", "reduced", "rejected", "report", "runs",
    ]  # fmt: skip


@pytest.mark.parametrize(("size_mb", "n_uploads"), [(0, 0), (9, 0), (25, 1)])
def test_a_writer_that_is_killed_leaves_no_object_and_an_upload_of_a_large_one_alone(
    bucket, size_mb, n_uploads
):
    """What is left of a large one goes by a rule of the bucket, and with an erasure."""
    writer = (
        "import os, signal\n"
        "from spark_assets.storage.locations import parse_location\n"
        f"place = parse_location('s3://{BUCKET}/chain/table')\n"
        "stream = place.filesystem.open_output_stream(place.base)\n"
        f"stream.write(bytes({size_mb} * 1024 * 1024))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", writer], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert bucket.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    uploads = bucket.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    assert len(uploads) == n_uploads
    for upload in uploads:
        bucket.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])


def test_a_file_is_one_request(bucket, server_log):
    n_before = len(server_log.read_text().splitlines())
    write_bytes(parse_location(f"s3://{BUCKET}/chain/table"), bytes(9 * 1024 * 1024))
    (request,) = server_log.read_text().splitlines()[n_before:]
    assert "PUT /photographs/chain/table HTTP" in request


def test_a_model_is_read_from_s3(bucket, seeded_model):
    save_feature_model(seeded_model, parse_location(f"s3://{BUCKET}/model"))
    request = FeatureModelRequest(model_uri=f"s3://{BUCKET}/model")
    assert request.obtain(verbose=False) == seeded_model


def test_a_model_in_a_zip_is_read_from_s3(bucket, seeded_model, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "model"), "zip", save(seeded_model, tmp_path / "m"))
    bucket.upload_file(packed, BUCKET, "assets/model.zip")
    request = FeatureModelRequest(model_uri=f"s3://{BUCKET}/assets/model.zip")
    assert request.obtain(verbose=False) == seeded_model
    gone = FeatureModelRequest(model_uri=f"s3://{BUCKET}/assets/gone.zip")
    with pytest.raises(FruitsError, match=r"no feature model at s3://photographs/assets/gone\.zip"):
        gone.obtain(verbose=False)
