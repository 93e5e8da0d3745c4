"""`fruits upload`, from real files to a server that speaks S3."""

import hashlib
import os
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import boto3
import pytest
from botocore import exceptions as aws

from cdk_app.config import Environment
from operations import cli
from operations.aws import uploading
from operations.aws.stacks import data_stack
from spark_assets.images.listing import list_images
from spark_assets.output.erasure_denylist import ErasureDenylist, read_denylist, write_denylist
from spark_assets.output.output import Output
from tests.operations.aws.conftest import RAW

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
HOSTILE = [
    "Pomme verte/é à.jpg",
    "tab\tand\rreturn.jpg",
    "\x1b[31mred\x01.jpg",
    "100%25 a+b#c?d&e.jpg",
    "quotes \"a\" 'b' \\c.jpg",
    "x" * 200 + ".jpg",
    "_DSC0001.JPG",
    "リンゴ/🍎",
]


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "photographs"


@pytest.fixture(autouse=True)
def stack(make_data_stack):
    make_data_stack()


def photograph(path: Path, content: bytes = b"content", *, mtime: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def upload(folder: Path, *more: str) -> int:
    return cli.main(["upload", "--images", str(folder), *more])


def contents(s3) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=RAW)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: s3.get_object(Bucket=RAW, Key=key)["Body"].read() for key in keys}


def last_line(capsys) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_every_legal_name_goes_up_byte_for_byte_and_once(folder, s3, capsys):
    for name in HOSTILE:
        photograph(folder / name, name.encode())
    assert upload(folder) == 0
    assert last_line(capsys) == (
        f"8 images = 8 uploaded + 0 unchanged + 0 refused, in s3://{RAW}/images"
    )
    assert contents(s3) == {f"images/{name}": name.encode() for name in HOSTILE}
    listed = list_images(data_stack(Environment.TEST).images)
    assert listed["path"].to_pylist() == sorted(HOSTILE)
    assert upload(folder) == 0
    assert last_line(capsys).startswith("8 images = 0 uploaded + 8 unchanged + 0 refused")


def test_a_line_break_in_a_name_is_part_of_the_key(folder, monkeypatch):
    """Against a client that takes down the keys: moto has no address for such a name."""
    photograph(folder / "line\nbreak/1\n.jpg")
    keys = []

    class Client:
        def upload_fileobj(self, _file, bucket, key, **_options):
            keys.append((bucket, key))

    monkeypatch.setattr(uploading, "aws_client", lambda *_, **__: Client())
    assert upload(folder) == 0
    assert keys == [(RAW, "images/line\nbreak/1\n.jpg")]


def test_what_goes_up_is_what_the_chain_looks_at(folder, s3):
    names = (
        ".hidden/1.jpg",
        ".DS_Store",
        "_SUCCESS",
        "_temporary/1.jpg",
        "Thumbs.db",
        "kiwi/desktop.ini",
        "@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "kiwi/1.jpg",
        "no ending",
    )
    for name in names:
        photograph(folder / name)
    assert upload(folder) == 0
    assert sorted(contents(s3)) == ["images/kiwi/1.jpg", "images/no ending"]


@pytest.mark.parametrize(
    ("content", "mtime"),
    [
        pytest.param(b"larger content", LONG_AGO, id="another size"),
        pytest.param(b"CONTENT", datetime(2100, 1, 1, tzinfo=UTC).timestamp(), id="newer"),
    ],
)
def test_a_changed_photograph_goes_up_again(content, mtime, folder, s3, capsys):
    photograph(folder / "kept.jpg")
    photograph(folder / "changed.jpg")
    assert upload(folder) == 0
    photograph(folder / "changed.jpg", content, mtime=mtime)
    assert upload(folder) == 0
    assert last_line(capsys).startswith("2 images = 1 uploaded + 1 unchanged + 0 refused")
    assert contents(s3)["images/changed.jpg"] == content


def test_an_interrupted_upload_is_taken_up_again(folder, s3, capsys, monkeypatch):
    for index in range(50):
        photograph(folder / f"{index}.jpg")
    real = uploading.in_parallel

    def interrupted_after_ten(*arguments, **options):
        yield from islice(real(*arguments, **options), 10)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(uploading, "in_parallel", interrupted_after_ten)
        assert upload(folder) == 130
    assert last_line(capsys) == "interrupted; the same command uploads the rest"
    n_there = len(contents(s3))
    assert 10 <= n_there < 50
    assert upload(folder) == 0
    assert last_line(capsys).startswith(
        f"50 images = {50 - n_there} uploaded + {n_there} unchanged + 0 refused"
    )
    assert len(contents(s3)) == 50


def test_a_photograph_of_many_parts_goes_up_whole(folder, s3):
    content = os.urandom(1024) * 9 * 1024
    photograph(folder / "large.tif", content)
    assert upload(folder) == 0
    assert contents(s3) == {"images/large.tif": content}


def test_what_cannot_go_up_is_refused_with_its_reason_after_the_others_went_up(folder, s3, capsys):
    deep = "/".join(["d" * 200] * 5)
    fits = f"{deep}/{'f' * (1024 - len(f'images/{deep}/'))}"
    photograph(folder / fits)
    photograph(folder / f"{fits}f")
    photograph(Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")))
    (folder / "\x1b[2J\n.jpg").symlink_to("nowhere")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert upload(folder) == 1
    told = capsys.readouterr().err
    assert "its key would have 1025 bytes, and S3 allows 1024; shorten its path" in told
    assert "caf\\xe9.jpg is not uploaded: its name is not valid UTF-8" in told
    assert "\\x1b[2J\\n.jpg is not uploaded: the link leads nowhere" in told
    assert "circle.jpg is not uploaded: the link leads nowhere" in told
    assert "pipe.jpg is not uploaded: it is not a regular file" in told
    assert "\x1b" not in told
    assert "6 images = 1 uploaded + 0 unchanged + 5 refused" in told
    assert list(contents(s3)) == [f"images/{fits}"]


def test_a_photograph_that_is_gone_since_the_listing_is_refused(folder, capsys, monkeypatch):
    for name in ("1.jpg", "gone.jpg"):
        photograph(folder / name)
    lists = uploading.list_images

    def list_and_lose(place):
        listed = lists(place)
        (folder / "gone.jpg").unlink(missing_ok=True)
        return listed

    monkeypatch.setattr(uploading, "list_images", list_and_lose)
    assert upload(folder) == 1
    told = capsys.readouterr().err
    assert "gone.jpg is not uploaded: it cannot be read: No such file or directory" in told
    assert "2 images = 1 uploaded + 0 unchanged + 1 refused" in told


def test_a_network_that_fails_is_not_taken_for_a_file_that_cannot_be_read(
    folder, capsys, monkeypatch
):
    photograph(folder / "1.jpg")

    class Unreachable:
        def upload_fileobj(self, *_arguments, **_options):
            raise aws.ReadTimeoutError(endpoint_url="https://s3")  # it is an OSError too

    monkeypatch.setattr(uploading, "aws_client", lambda *_, **__: Unreachable())
    assert upload(folder) == 1
    told = capsys.readouterr().err
    assert "fruits: AWS could not be reached at https://s3; check the network" in told
    assert "not uploaded" not in told


def test_an_erased_photograph_is_refused_under_any_name_until_it_is_allowed_again(
    folder, s3, capsys
):
    photograph(folder / "kept.jpg")
    photograph(folder / "renamed.jpg", b"erased")
    digest = hashlib.sha256(b"erased").hexdigest()
    output = data_stack(Environment.TEST).output
    write_denylist(Output.open(output), ErasureDenylist().with_digests([digest]))
    assert upload(folder) == 1
    told = capsys.readouterr().err
    assert "2 images = 1 uploaded + 0 unchanged + 1 refused" in told
    command = f"fruits erase --output {output.uri} --allow-again --sha256 {digest}"
    assert "renamed.jpg is not uploaded: it was erased; if it is to be there again" in told
    assert command in told
    assert list(contents(s3)) == ["images/kept.jpg"]
    assert cli.main(command.split()[1:]) == 0
    assert not read_denylist(Output.open(output))
    assert upload(folder) == 0
    assert contents(s3)["images/renamed.jpg"] == b"erased"


def test_no_photograph_is_read_twice_where_none_was_erased(folder, monkeypatch):
    photograph(folder / "1.jpg")
    monkeypatch.delattr(uploading.hashlib, "file_digest")
    assert upload(folder) == 0


def test_a_place_without_photographs_is_refused(folder, capsys):
    assert upload(folder) == 1
    assert "does not exist; give a folder of photographs" in last_line(capsys)
    folder.mkdir()
    assert upload(folder) == 1
    assert "holds no image; give a folder of photographs" in last_line(capsys)
    assert cli.main(["upload", "--images", "s3://elsewhere/images"]) == 1
    assert "s3://elsewhere/images is not a local folder" in last_line(capsys)


def test_without_a_data_stack_the_command_that_makes_one_is_named(folder, capsys):
    photograph(folder / "1.jpg")
    assert upload(folder, "--environment", "prod") == 1
    assert last_line(capsys) == (
        "fruits: nothing is deployed in the prod environment, so there is no bucket; "
        "make one with: fruits deploy --environment prod"
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            "no AWS credentials were found; run 'aws configure' or 'aws sso login', or set AWS_PR",
        ),
        ({"AWS_PROFILE": "nobody"}, "there is no AWS profile nobody"),
    ],
)
def test_credentials_that_do_not_work_are_one_sentence(
    environment, sentence, folder, capsys, monkeypatch
):
    photograph(folder / "1.jpg")
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert upload(folder) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"fruits: {sentence}")
    assert len(told.splitlines()) == 1
