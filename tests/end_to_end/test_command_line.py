"""The commands as people type them: exit codes, one sentence, no stack trace."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from operations import cli
from spark_assets.features.feature_model import FeatureModel
from spark_assets.output.lease import hold_lease
from spark_assets.storage.locations import parse_location
from tests.conftest import skip_or_fail
from tests.spark.images import encode, picture
from tests.spark.runs import files_under, paths_of, put, save

FRUITS = str(Path(sys.executable).parent / "fruits")
# What a run leaves before its images are looked at, and once a share of them is featurized.
BEGUN, FEATURIZED = "_staging/*/features", "_staging/*/features/*.parquet"
ON_SPARK = ("--master", "local[1]")


def fruits(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FRUITS, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=900,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 1, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("fruits: ")]
    assert told == done.stderr.splitlines()[-1:], done.stderr


def java_that_tells(folder: Path, version: str) -> dict[str, str]:
    """Return an environment whose Java says that it is of a version."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    java.chmod(0o755)
    return {"JAVA_HOME": str(folder)}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("0", "0"),
        ("-3", "-3"),
        ("1.5", "1.5"),
        ("abc", "abc"),
        ("nan", "nan"),
        ("", "''"),
    ],
)
def test_a_number_of_components_that_makes_no_sense_is_bad_usage(value, sentence, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["reduce", "--output", "out", f"--n-components={value}"])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "--n-components" in told
    assert sentence in told


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run", "--images", "x"],
        ["run", "--images", "x", "--output", "y", "--alpha", "0"],
        ["run", "--images", "x", "--output", "y", "--engine", "steam"],
        ["run", "--images", "x", "--output", "y", "--limit", "0"],
        ["run", "--images", "x", "--output", "y", "--max-rejected", "2"],
        ["run", "--images", "x", "--output", "y", "--max-image-mib", "inf"],
    ],
)
def test_bad_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "featurize", "reduce", "report", "export-model"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert "--output" in capsys.readouterr().out


@pytest.mark.slow
def test_an_unknown_folder_is_refused_at_once(tmp_path):
    done = fruits("run", "--images", tmp_path / "nowhere", "--output", tmp_path / "out")
    assert_refused(done, "does not exist; give a folder of photographs")
    assert not (tmp_path / "out").exists()


def without_java(folder: Path) -> dict[str, str]:
    """Return an environment that has Python and no Java."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(sys.executable)
    return {"PATH": str(folder / "bin"), "JAVA_HOME": ""}


def featurize_one(folder: Path, model: FeatureModel, *options: str, **environment: str):
    put(folder / "images", "a/1.png")
    return fruits(
        "featurize", "--images", folder / "images", "--output", folder / "out",
        "--model", save(model, folder / "model"), *options, **environment,
    )  # fmt: skip


@pytest.mark.slow
def test_few_images_need_no_java(tmp_path, seeded_model):
    done = featurize_one(tmp_path, seeded_model, **without_java(tmp_path))
    assert done.returncode == 0, done.stderr
    assert paths_of(tmp_path / "out") == ["a/1.png"]


@pytest.mark.slow
def test_no_java_is_refused_with_the_line_that_installs_it(tmp_path, seeded_model):
    done = featurize_one(tmp_path, seeded_model, *ON_SPARK, **without_java(tmp_path))
    assert_refused(done, "no java was found on the PATH; Spark needs Java 17 to 23")
    assert "apt-get install openjdk-17-jre-headless" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "number"), [("1.8.0_292", "8"), ("11.0.2", "11"), ("25", "25")]
)
def test_the_wrong_java_is_refused_with_the_versions_that_fit(
    tmp_path, seeded_model, version, number
):
    java = java_that_tells(tmp_path / "java", version)
    done = featurize_one(tmp_path, seeded_model, *ON_SPARK, **java)
    assert_refused(done, f"is Java {number}; Spark needs Java 17 to 23")


def into_closed_pipe(output: str, *arguments: str, **environment: str):
    """Run a command whose stdout or stderr is a pipe that nobody reads; capture the other."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [FRUITS, *arguments],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, output: writer},
        text=True, env={**os.environ, **environment}, timeout=900, check=False,
    )  # fmt: skip
    os.close(writer)
    return done


# What is printed at once fails then and there, what is held back only at the end.
@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_a_command_without_a_word(unbuffered):
    done = into_closed_pipe("stdout", "cost", "--images", "1000", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["cost", "--images", "1000", "--max-cost", "0.001"], ["reduce", "--output", "nowhere"]],
)
def test_a_sentence_that_nobody_reads_ends_a_command_without_another(arguments):
    done = into_closed_pipe("stderr", *arguments)
    assert done.returncode == 141
    assert "roken pipe" not in done.stdout


@pytest.mark.slow
def test_help_ends_without_a_word_at_a_closed_pipe():
    assert into_closed_pipe("stdout", "--help", PYTHONUNBUFFERED="").stderr == ""


@pytest.mark.slow
def test_a_disk_that_fills_up_is_said_and_leaves_nothing(tmp_path, seeded_model):
    """On a file system of 1 MiB; mounting one takes root."""
    output = tmp_path / "small"
    output.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(output)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode != 0:
        skip_or_fail("a small file system cannot be mounted; run the tests as root")
    try:
        model = save(seeded_model, tmp_path / "model")
        for index in range(400):
            put(tmp_path / "images", f"a/{index}.png", seed=index)
        done = fruits(
            "featurize", "--images", tmp_path / "images", "--output", output / "out",
            "--model", model,
        )  # fmt: skip
        assert done.returncode == 1
        assert "the disk is full" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(output.rglob("*.parquet")), done.stderr
        assert not list(output.rglob("runs/*"))
    finally:
        subprocess.run(["umount", str(output)], check=True)


@pytest.mark.slow
def test_more_rejected_than_allowed_is_exit_code_3_with_the_tables_written(tmp_path, seeded_model):
    model = save(seeded_model, tmp_path / "model")
    for index in range(4):
        put(tmp_path / "images", f"a/{index}.png", seed=index)
    put(tmp_path / "images", "a/broken.png", b"broken")
    done = fruits(
        "run", "--images", tmp_path / "images", "--output", tmp_path / "out", "--model", model,
        "--n-components", "2",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "1 of 5 images were rejected, more than the share of 0.1" in done.stderr
    (manifest,) = (tmp_path / "out" / "runs").glob("*.json")
    assert json.loads(manifest.read_text())["counts"]["n_rejected"] == 1
    assert (tmp_path / "out" / "report" / "index.html").exists()


@pytest.mark.slow
def test_all_rejected_still_tells_why_in_a_report(tmp_path, seeded_model):
    model = save(seeded_model, tmp_path / "model")
    put(tmp_path / "images", "a/1.png", b"broken")
    done = fruits(
        "run", "--images", tmp_path / "images", "--output", tmp_path / "out", "--model", model
    )
    assert done.returncode == 3, done.stderr
    assert "all images were rejected" in done.stderr
    assert "not_an_image" in (tmp_path / "out" / "report" / "index.html").read_text()


@pytest.fixture(scope="module")
def slow_images(tmp_path_factory):
    """Return a folder of large images, which take five seconds at least."""
    folder = tmp_path_factory.mktemp("slow")
    first = put(folder, "a/0.png", encode(picture(2000, 1500), "PNG"))
    for index in range(1, 200):
        os.link(first, folder / f"a/{index}.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "sign"),
    [((), FEATURIZED), (ON_SPARK, "_staging/*/started"), (ON_SPARK, FEATURIZED)],
    ids=["images are featurized here", "Spark starts", "images are featurized on Spark"],
)
def test_ctrl_c_ends_cleanly_while(options, sign, tmp_path, seeded_model, slow_images):
    run = begun(tmp_path, seeded_model, slow_images, sign, *options)
    os.killpg(run.pid, signal.SIGINT)
    _, stderr = run.communicate(timeout=900)
    assert run.returncode == 130, stderr
    assert stderr.splitlines().count("interrupted; only what is complete is visible") == 1
    assert "Traceback" not in stderr
    assert files_under(tmp_path / "out") == {}


@pytest.mark.slow
def test_ctrl_c_is_not_kept_waiting_by_images_that_are_featurized_here(
    tmp_path, seeded_model, slow_images
):
    run = begun(tmp_path, seeded_model, slow_images, BEGUN)
    interrupted_at = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=900)
    assert run.returncode == 130
    assert time.monotonic() - interrupted_at < 2.5


@pytest.mark.slow
def test_ctrl_c_ends_a_wait_for_another_command(tmp_path):
    put(tmp_path, "out/runs/1.json", b"{}")
    with hold_lease(parse_location(str(tmp_path / "out")), purpose="fruits erase", wait=False):
        waiting = started("report", "--output", str(tmp_path / "out"), "--wait")
        assert waiting.stderr is not None
        assert waiting.stderr.readline().endswith("waiting for its end\n")
        os.killpg(waiting.pid, signal.SIGINT)
        _, stderr = waiting.communicate(timeout=60)
    assert (waiting.returncode, stderr) == (130, "interrupted; only what is complete is visible\n")


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it_where_it_is(tmp_path, seeded_model, slow_images):
    run = begun(tmp_path, seeded_model, slow_images, "_staging/*/started", *ON_SPARK)
    os.killpg(run.pid, signal.SIGINT)
    assert run.stderr is not None
    assert any(line.startswith("interrupted;") for line in run.stderr)
    os.killpg(run.pid, signal.SIGINT)
    _, stderr = run.communicate(timeout=900)
    assert run.returncode == 130, stderr
    assert "Traceback" not in stderr


def begun(folder, model, images, sign: str, *options: str) -> subprocess.Popen[str]:
    """Return a run that has left a sign of how far it has come."""
    run = started(
        "run", "--images", str(images), "--output", str(folder / "out"),
        "--model", str(save(model, folder / "model")), *options,
    )  # fmt: skip
    wait_for(run, lambda: list(folder.glob(f"out/{sign}")))
    return run


def started(*arguments: str) -> subprocess.Popen[str]:
    """Return a command in a group as of a terminal."""
    # A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [FRUITS, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    signal.signal(signal.SIGINT, inherited)
    return process


def wait_for(run: subprocess.Popen[str], is_so) -> None:
    end = time.monotonic() + 900
    while not is_so():
        assert run.poll() is None, "the run ended too early"
        assert time.monotonic() < end
        threading.Event().wait(0.05)
