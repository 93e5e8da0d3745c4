"""What dead commands leave is found and removed, and nothing else is touched."""

import pytest

from operations import cli
from spark_assets.errors import ExitCode
from spark_assets.output.layout import OutputLayout
from spark_assets.output.orphans import find_orphans, remove_orphans
from spark_assets.storage.locations import parse_location
from tests.spark.runs import files_under
from tests.spark.test_reduce import features, put_run, reduce

DEAD = "29990101T000000Z-ffffff"


@pytest.fixture
def layout(tmp_path) -> OutputLayout:
    return OutputLayout(parse_location(str(tmp_path / "out")))


def put(layout: OutputLayout, path: str) -> str:
    file = layout.output.child(*path.split("/"))
    file.filesystem.create_dir(file.base.rpartition("/")[0], recursive=True)
    with file.filesystem.open_output_stream(file.base) as stream:
        stream.write(b"left behind")
    return path


def left_by_the_dead(layout: OutputLayout, model_id: str) -> set[str]:
    return {
        put(layout, path)
        for path in (
            f"_staging/{DEAD}/outcomes/part-0.parquet",
            f"features/run_id={DEAD}/part-0.parquet",
            f"rejected/run_id={DEAD}/part-0.parquet",
            f"changes/run_id={DEAD}/part-0.parquet",
            f"pca_model/{DEAD}/model.parquet",
            f"reduced/model_id={DEAD}/run_id=1/part-0.parquet",
            f"reduced/model_id={model_id}/run_id={DEAD}/part-0.parquet",
            f"reduced/model_id={model_id}/_temporary/0/part-0.parquet",
            "feature_model/0123456789abcdef/model.tflite",
            "manifests/2.json.partial",
            f"reduced/model_id={model_id}/run_id=1/.part.parquet.0.partial",
        )
    }


def test_every_kind_is_found_and_all_else_stays(spark, layout, tmp_path):
    record, _ = reduce(spark, layout.output, [put_run(layout, "1", features(20))], 3)
    for path in (
        *("report/index.html", "receipts/j-1.json", "notes/notes.txt", "notes/draft.partial"),
        *("pca_model/notes/n.txt", "reduced/notes.txt", "feature_model/notes/n.txt"),
    ):
        put(layout, path)
    before = files_under(tmp_path / "out")
    left = left_by_the_dead(layout, record.model_id)
    orphans = find_orphans(layout)
    assert len(orphans) == len(left)
    remove_orphans(layout, orphans)
    assert files_under(tmp_path / "out") == before
    assert not (tmp_path / "out" / "_staging").exists()
    assert find_orphans(layout) == []


@pytest.mark.slow
def test_vacuum_lists_first_and_then_removes(layout, tmp_path, capsys):
    put_run(layout, "1", features(3))
    put(layout, f"_staging/{DEAD}/listed/part-0.parquet")
    before = files_under(tmp_path / "out")
    command = ["vacuum", "--output", layout.output.base]
    assert cli.main([*command, "--dry-run"]) == ExitCode.DONE
    assert files_under(tmp_path / "out") == before
    assert "1 file of 1 orphan would be removed, 11 bytes" in capsys.readouterr().err
    assert cli.main(command) == ExitCode.DONE
    assert f"_staging/{DEAD}: what a run needed only while it" in capsys.readouterr().err
    assert cli.main(command) == ExitCode.DONE
    assert "0 files of 0 orphans removed" in capsys.readouterr().err


@pytest.mark.slow
def test_vacuum_of_nothing_says_what_to_give(tmp_path, capsys):
    assert cli.main(["vacuum", "--output", str(tmp_path / "nowhere")]) == ExitCode.FAILED
    assert "give the output of a run" in capsys.readouterr().err
