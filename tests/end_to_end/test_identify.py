"""From real photographs to their names: evaluate, identify, export, as a user types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.identify_speed import main as benchmark
from tests.end_to_end.browser import open_page

pytestmark = pytest.mark.slow

FRUITS = str(Path(sys.executable).parent / "fruits")
# What a command that answers in a second cannot afford to import.
HEAVY = ("pyspark", "tensorflow", "keras", "sklearn", "scipy", "pandas", "boto3")


def fruits(*arguments: str, code: int = 0) -> str:
    """Run the command and return what it prints."""
    done = subprocess.run(
        [FRUITS, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def output(data_dir, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("identify") / "out"
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    images = data_dir / "fruits-360" / "Training"
    fruits(
        "run", "--images", str(images), "--output", str(folder), "--weights", str(weights),
        "--alpha", "0.35", "--image-size", "96",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def evaluated(data_dir, output) -> str:
    return fruits("evaluate", "--output", str(output), "--folds", "3")


@pytest.fixture(scope="module")
def unseen(data_dir) -> list[Path]:
    """Return two photographs of each fruit that no run has looked at."""
    folders = sorted((data_dir / "fruits-360" / "Test").iterdir())
    return [file for folder in folders for file in sorted(folder.iterdir())[:2]]


def test_an_evaluation_says_how_often_it_was_right_and_that_frames_flatter(evaluated):
    assert "480 photographs of 12 labels" in evaluated
    assert "accuracy (95% interval), held-out photographs, 3 folds:" in evaluated
    assert (
        "accuracy (95% interval), held-out clusters of similar photographs, 3 folds:" in evaluated
    )
    assert "chosen with held-out clusters of similar photographs" in evaluated
    assert "classifier of 12 labels" in evaluated


def test_fruit_that_is_known_is_named(output, evaluated, unseen):
    answers = fruits("identify", *map(str, unseen), "--output", str(output), "--json")
    lines = [json.loads(line) for line in answers.splitlines()]
    right = [line["top_label"] == Path(line["photograph"]).parent.name for line in lines]
    assert len(lines) == 24
    assert sum(right) >= 23
    assert all(len(line["neighbors"]) == 5 for line in lines)


def test_text_for_people_names_the_label_and_known_photographs(output, evaluated, unseen):
    text = fruits("identify", str(unseen[6]), "--output", str(output))
    assert text.startswith(f"{unseen[6]}: ")
    assert text.count("  similarity ") == 3


def test_it_imports_neither_spark_nor_tensorflow(output, evaluated, unseen):
    code = (
        "import sys; from operations.cli import main; "
        f"code = main(['identify', {str(unseen[0])!r}, '--output', {str(output)!r}]); "
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "heavy: [] 0" in done.stdout


def test_what_cannot_be_used_is_told_and_the_others_are_answered(
    output, evaluated, unseen, tmp_path
):
    broken = tmp_path / "notes.jpg"
    broken.write_text("no photograph")
    text = fruits("identify", str(broken), str(unseen[0]), "--output", str(output), code=3)
    assert f"{broken}: rejected, not_an_image" in text
    assert f"{unseen[0]}: " in text
    text = fruits("identify", str(tmp_path / "none.jpg"), "--output", str(output), code=1)
    assert "none.jpg cannot be read: No such file or directory; give a file" in text


def test_an_output_without_a_classifier_is_refused_with_a_sentence(unseen, tmp_path):
    text = fruits("identify", str(unseen[0]), "--output", str(tmp_path), code=1)
    assert text == (
        f"fruits: {tmp_path} holds no classifier; make one with: fruits evaluate --output URI\n"
    )


def test_the_exported_folder_answers_alike(output, evaluated, unseen, tmp_path):
    told = fruits("export-classifier", "--output", str(output), "--to", str(tmp_path / "phone"))
    assert "12 labels and 480 reference photographs" in told
    arguments = ("identify", *map(str, unseen), "--json", "--output")
    here = [json.loads(line) for line in fruits(*arguments, str(output)).splitlines()]
    there = fruits(*arguments, str(tmp_path / "phone")).splitlines()
    answers = [(json.loads(line)["label"], json.loads(line)["top_label"]) for line in there]
    assert sum(a == (b["label"], b["top_label"]) for a, b in zip(answers, here, strict=True)) >= 23


def test_the_benchmark_times_it(output, evaluated, data_dir, capsys):
    folder = str(data_dir / "fruits-360" / "Test")
    assert benchmark(["--output", str(output), "--photographs", folder, "--runs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "| whole process, one photograph | at most 1.5 s |" in printed
    assert "| each further photograph | at most 30 ms |" in printed


def test_the_report_shows_the_evaluation(output, evaluated, chromium):
    with open_page(chromium, output / "report" / "index.html") as report:
        assert report.problems == []
        assert report.requests == []
        assert {"accuracy", "confusions", "reliability"} <= set(report.plots())
        assert report.value("accuracy") > 0.9
        assert report.value("n-evaluated") == 480


def test_other_photographs_can_be_asked_about(data_dir, output, evaluated):
    text = fruits(
        "evaluate", "--output", str(output), "--test-images", str(data_dir / "fruits-360" / "Test")
    )
    assert "accuracy (95% interval), test set:" in text
    scores = [line for line in text.splitlines() if line.startswith("  ")]
    assert all(float(line.split(" (")[0].split()[-1]) > 0.9 for line in scores)
