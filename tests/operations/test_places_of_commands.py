"""What commands say of places that are none, and that they leave nothing behind there."""

from pathlib import Path

import pytest

from operations import cli

DIGEST = "0" * 64
# Every command that reads an output or works on one that is there.
ON_AN_OUTPUT = {
    "reduce": ["reduce"],
    "report": ["report"],
    "evaluate": ["evaluate"],
    "audit": ["audit"],
    "erase": ["erase", "--path", "a/1.jpg"],
    "erase --dry-run": ["erase", "--path", "a/1.jpg", "--dry-run"],
    "erase --finish": ["erase", "--finish"],
    "erase --rewrite-only": ["erase", "--rewrite-only"],
    "erase --allow-again": ["erase", "--allow-again", "--sha256", DIGEST],
    "vacuum": ["vacuum"],
    "vacuum --dry-run": ["vacuum", "--dry-run"],
    "identify": ["identify", "photo.jpg"],
    "serve": ["serve", "--port", "0"],
    "export-classifier": ["export-classifier", "--to", "exported"],
}
ON_A_PLACE = {
    **ON_AN_OUTPUT,
    "run": ["run", "--images", "photographs"],
    "featurize": ["featurize", "--images", "photographs"],
    "sample": ["sample"],
    "export-model": ["export-model", "--weights", "random"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "1.jpg").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_refused(arguments: list[str], sentence: str, capsys, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    assert cli.main(arguments) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert told.startswith("fruits: ")
    assert told.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", ON_AN_OUTPUT)
def test_an_output_that_is_not_there_is_refused_and_not_made(command, folder, capsys):
    arguments = [*ON_AN_OUTPUT[command], "--output", "./typo"]
    names_no_output = command in ("identify", "serve", "export-classifier")
    sentence = "holds no classifier" if names_no_output else "there is nothing at"
    assert_refused(arguments, sentence, capsys, folder)


@pytest.mark.parametrize("command", ["reduce", "report", "audit", "vacuum"])
def test_a_file_is_no_output(command, folder, capsys):
    assert_refused([command, "--output", "photographs/1.jpg"], "nothing at", capsys, folder)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("~nobody-of-that-name", "write ./~nobody-of-that-name for a folder of that name"),
        ("s3:/bucket/out", "names no bucket; write s3://bucket/prefix"),
        ("hdfs:/x", "begins with hdfs:, which is not supported"),
        ("arn:aws:s3:eu-central-1:123456789012:accesspoint/a", "is its alias"),
        ("s3://Some_Bucket/out", "Some_Bucket is no name of a bucket"),
        ("", "the location is empty"),
        ("a\nb", "holds a control character"),
    ],
)
@pytest.mark.parametrize("command", ON_A_PLACE)
def test_every_command_refuses_a_place_that_is_none_in_one_sentence(
    command, place, sentence, folder, capsys
):
    assert_refused([*ON_A_PLACE[command], f"--output={place}"], sentence, capsys, folder)


@pytest.mark.parametrize(
    ("option", "command"),
    [
        ("--images", ["run", "--output", "out"]),
        ("--images", ["upload"]),
        ("--images", ["erase", "--output", "photographs", "--path", "1.jpg"]),
        ("--images", ["audit", "--output", "photographs"]),
        ("--test-images", ["audit", "--output", "photographs"]),
        ("--test-images", ["evaluate", "--output", "photographs"]),
        ("--pca-model", ["reduce", "--output", "photographs"]),
        ("--to", ["export-classifier", "--output", "photographs"]),
        ("--path-list", ["erase", "--output", "photographs"]),
    ],
)
def test_every_other_place_is_refused_alike(option, command, folder, capsys):
    arguments = [*command, option, "s3:/bucket/x"]
    assert_refused(arguments, "names no bucket; write s3://bucket/prefix", capsys, folder)


@pytest.mark.parametrize(
    "photograph", ["s3://bucket/a.jpg", "S3:/bucket/a.jpg", "https://example.org/a.jpg"]
)
def test_identify_says_that_it_takes_local_files(photograph, folder, capsys):
    sentence = f"{photograph} is a URI, and identify takes local files; copy the photograph here"
    assert_refused(["identify", photograph, "--output", "photographs"], sentence, capsys, folder)
