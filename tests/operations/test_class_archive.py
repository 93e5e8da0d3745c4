"""The archive of Spark's classes is made once, and is never a reason for Spark not to start."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from operations import class_archive
from operations.class_archive import make_archive
from operations.cli import parse
from spark_assets.runtime import java


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "share" / "spark.jsa"


def test_where_it_cannot_be_made_that_is_told_and_not_tried_again(archive, monkeypatch, capsys):
    monkeypatch.setattr(class_archive, "_failure", lambda *_: "fruits: no java was found")
    make_archive(archive)
    told = capsys.readouterr().err
    assert told == "Spark starts without an archive of its classes: fruits: no java was found\n"
    assert archive.stat().st_size == 0


def test_it_replaces_an_older_one_once_it_is_whole(archive, monkeypatch):
    def run(_command, partial):
        partial.write_bytes(b"new")

    archive.parent.mkdir()
    archive.write_bytes(b"old")
    monkeypatch.setattr(class_archive, "_failure", run)
    make_archive(archive)
    assert archive.read_bytes() == b"new"
    assert [file.name for file in archive.parent.iterdir()] == ["spark.jsa"]


def test_its_network_is_the_one_of_the_first_run(archive, monkeypatch):
    given = []
    monkeypatch.setattr(class_archive, "_failure", lambda words, _: given.append(words))
    make_archive(archive)
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    (weights,) = re.findall(r"^WEIGHTS \?= (\S+)", makefile, re.MULTILINE)
    first = ["run", "--images", "samples", "--output", "out", "--weights", weights]
    networks = [
        [getattr(parse(words)[1], name) for name in ("weights", "alpha", "image_size", "model")]
        for words in (given[-1], first)
    ]
    assert networks[0] == networks[1]
    assert parse(given[-1])[1].master == "local[*]"  # so few images start no Spark by themselves


def test_a_folder_with_a_blank_in_its_name_stays_one_option(tmp_path, monkeypatch):
    given = []

    def run(_command, env, **_options):
        given.extend(shlex.split(env["FRUITS_JVM_OPTIONS"]))
        return subprocess.CompletedProcess([], 1, stderr="not made")

    monkeypatch.setattr(class_archive.subprocess, "run", run)
    make_archive(tmp_path / "my fruits" / "spark.jsa")
    assert given == [f"-XX:ArchiveClassesAtExit={tmp_path}/my fruits/spark.partial"]


def test_options_name_it_where_there_is_one(archive, monkeypatch):
    monkeypatch.setattr(java, "CLASS_ARCHIVE", archive)
    assert "SharedArchiveFile" not in java.jvm_options()
    archive.parent.mkdir()
    archive.touch()
    assert f'"-XX:SharedArchiveFile={archive}"' in java.jvm_options()


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_a_jvm_starts_without_a_word_with_an_archive_that_does_not_fit(
    archive, monkeypatch, content
):
    archive.parent.mkdir()
    archive.write_bytes(b"")
    monkeypatch.setattr(java, "CLASS_ARCHIVE", archive)
    options = shlex.split(java.jvm_options())
    if content is None:
        archive.unlink()
    else:
        archive.write_bytes(content)
    done = subprocess.run(
        ["java", *options, "-version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert sys.prefix not in done.stderr
