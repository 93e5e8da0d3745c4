"""Commands that are killed: readers see before or after, and the next command mends it all.

What dies after any operation on a file, in one process, is in `tests.spark.test_commit`.
"""

import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

from operations import cli
from recognition.classifier.identifier import FruitIdentifier
from spark_assets.output.output import REPORT, Output
from spark_assets.output.s3_lease import LeaseTimes
from spark_assets.storage.locations import Location, parse_location
from tests.end_to_end import killed
from tests.spark.images import encode, picture
from tests.spark.runs import put, save
from tests.spark.test_commit import State, plainly, state_of

pytestmark = pytest.mark.slow

ERASED = "a/2.png"


@pytest.fixture
def folder(tmp_path, seeded_model) -> Path:
    """Return a folder with an output, to which two images came after its PCA."""
    save(seeded_model, tmp_path / "model")
    for index in range(16):
        put(tmp_path / "images", f"{'ab'[index % 2]}/{index}.png", seed=index)
    give(run_in(tmp_path))
    for index in (20, 21):
        put(tmp_path / "images", f"b/{index}.png", seed=index)
    give(run_in(tmp_path))
    return tmp_path


def run_in(folder: Path, *options: str) -> list[str]:
    return [
        "run", *output_in(folder), "--images", str(folder / "images"),
        "--model", str(folder / "model"), "--n-components", "3", "--max-rejected", "1", *options,
    ]  # fmt: skip


def output_in(folder: Path) -> list[str]:
    return ["--output", str(folder / "out")]


def give(command: list[str]) -> None:
    """Give a command that comes to its end, in this process."""
    assert cli.main(command) == 0


def killed_at(pattern: str, command: list[str]) -> None:
    """Give a command that is killed right before it changes a file."""
    done = subprocess.run(
        [sys.executable, killed.__file__, pattern, *command],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr


def change_the_source(images: Path) -> None:
    """Add images, of which one is broken, change one, and delete one."""
    for index in range(30, 35):
        put(images, f"b/{index}.png", seed=index)
    put(images, "b/broken.png", b"broken")
    put(images, "a/0.png", encode(picture(70, 50, seed=30), "PNG"))
    (images / "a/4.png").unlink()


def location_of(folder: Path) -> Location:
    return parse_location(str(folder / "out"))


def seen(folder: Path) -> State:
    """Return what a reader finds who knows of a change under way."""
    return state_of(Output.open(location_of(folder)))


def assert_mended(folder: Path) -> State:
    """Return what anybody's reader finds, where nothing else is left."""
    left = {path.name for path in (folder / "out").iterdir() if path.name[0] in "._"}
    assert left == set()
    state = plainly(folder / "out")
    assert state["reduced"].keys() == state["features"].keys()
    return state


def assert_is_the_source(folder: Path) -> None:
    images = folder / "images"
    paths = {path.relative_to(images).as_posix() for path in images.rglob("*.png")}
    state = assert_mended(folder)
    assert state["rejected"].keys() == {"b/broken.png"}
    assert state["features"].keys() == paths - {"b/broken.png"}


def test_a_run_that_is_killed_while_it_featurizes_leaves_what_was_there(folder):
    before = seen(folder)
    change_the_source(folder / "images")
    killed_at("*/_staging/*/features/*.parquet", run_in(folder))
    assert seen(folder) == before
    give(run_in(folder))
    assert_is_the_source(folder)


def test_a_run_whose_tasks_outlive_it_for_a_moment_leaves_what_was_there(folder):
    before = seen(folder)
    change_the_source(folder / "images")
    large = put(folder / "images", "c/0.png", encode(picture(1000, 800), "PNG"))
    for index in range(1, 70):  # three tasks
        (folder / f"images/c/{index}.png").hardlink_to(large)
    command = run_in(folder, "--master", "local[1]")
    with subprocess.Popen([sys.executable, "-m", "operations.cli", *command]) as run:
        while not list(folder.glob("out/_staging/*/features/*.parquet")):
            assert run.poll() is None, "it ended too early"
            time.sleep(0.01)
        run.kill()
    assert seen(folder) == before
    give(run_in(folder))
    assert_is_the_source(folder)


def test_a_run_that_is_killed_while_it_writes_to_s3_leaves_no_upload(
    tmp_path, seeded_model, emulated_aws, monkeypatch
):
    save(seeded_model, tmp_path / "model")
    for index in range(200):
        put(tmp_path / "images", f"{'ab'[index % 2]}/{index}.png", seed=index % 4)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="results")
    output = "s3://results/chain"
    command = [*run_in(tmp_path), "--output", output]

    def staged() -> list[str]:
        found = s3.list_objects_v2(Bucket="results", Prefix="chain/_staging/")
        return [each["Key"] for each in found.get("Contents", ())]

    with subprocess.Popen([sys.executable, "-m", "operations.cli", *command]) as run:
        while not staged():
            assert run.poll() is None, "it ended too early"
            time.sleep(0.01)
        run.kill()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="results")
    assert Output(parse_location(output)).read(REPORT) is None
    # Of the run that was killed, which nobody renews.
    monkeypatch.setattr(LeaseTimes.__init__, "__defaults__", (10.0, 0.1, time.sleep))
    give(command)
    assert Output(parse_location(output)).read(REPORT) is not None
    assert staged() == []


def test_a_refit_that_is_killed_amid_its_commit_is_finished_by_the_next_command(folder):
    before = seen(folder)
    killed_at("*/out/reduced/*", ["reduce", *output_in(folder), "--refit"])
    after = seen(folder)
    assert after["pca"] != before["pca"]
    give(["reduce", *output_in(folder)])
    assert assert_mended(folder) == after


def test_an_erasure_that_is_killed_amid_its_commit_is_finished_by_the_next_one(folder):
    before = seen(folder)
    killed_at("*/out/features/*", ["erase", *output_in(folder), "--path", ERASED])
    after = seen(folder)
    assert before["features"].keys() - after["features"].keys() == {ERASED}
    give(["erase", *output_in(folder), "--finish"])
    assert assert_mended(folder) == after
    assert len(list((folder / "out/erasures").iterdir())) == 1


def test_an_evaluation_that_is_killed_amid_its_commit_has_made_a_whole_classifier(folder):
    command = ["evaluate", *output_in(folder), "--folds", "2"]
    killed_at("*/out/classifier/*", command)
    FruitIdentifier.from_output(location_of(folder))
    give(["report", *output_in(folder)])
    assert_mended(folder)
    FruitIdentifier.from_output(location_of(folder))
