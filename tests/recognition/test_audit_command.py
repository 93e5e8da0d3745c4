"""The command fruits audit on small outputs: what it writes, what it refuses, what removes it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.dataset
import pytest
from PIL import Image, ImageFilter

from benchmarks.photographs import draw_fruit
from operations import cli
from recognition.audit.run import AuditOptions, audit_output
from spark_assets.chain.options import ReduceOptions, ReportOptions
from spark_assets.chain.run import run_chain
from spark_assets.erasure.run import EraseOptions, erase
from spark_assets.erasure.selection import Asked
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.output.artefacts import registered_artefacts
from spark_assets.output.finding import FindingKind
from spark_assets.output.findings import audit_record, current_findings
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.orphans import find_orphans
from spark_assets.storage.locations import parse_location
from tests.recognition.test_audit_near_duplicates import cut
from tests.spark.images import encode
from tests.spark.runs import options_for, put, run, save
from tests.spark.traces import Needles, local_files, traces

pytestmark = pytest.mark.slow


def drawn(seed: int) -> Image.Image:
    canvas = draw_fruit(np.random.default_rng(seed), 100)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory, starts_processes):
    """Draw two splits with a crop and a copy across them, and one blurred photograph."""
    folder = tmp_path_factory.mktemp("drawn") / "images"
    for n in range(6):
        split, label = ("Training", "Test")[n % 3 == 2], f"fruit {n % 2}"
        put(folder, f"{split}/{label}/{n}.png", encode(drawn(n), "PNG"))
    put(folder, "Test/fruit 0/part.jpg", encode(cut(drawn(0), 8, 8, 84, 84)))
    put(folder, "Test/fruit 1/same.png", encode(drawn(1), "PNG"))
    soft = drawn(9).filter(ImageFilter.GaussianBlur(2))
    put(folder, "Training/fruit 0/soft.png", encode(soft, "PNG"))
    return folder


@pytest.fixture(scope="module")
def featurized(spark, photographs, seeded_model, tmp_path_factory):
    """Return the folder of a finished run on them."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(photographs, folder / "images")
    run(spark, options_for(folder, save(seeded_model, folder / "model")))
    return folder


@pytest.fixture
def folder(featurized, tmp_path):
    """Return a copy of it, which still names the photographs of the first as its source."""
    shutil.copytree(featurized / "out", tmp_path / "out")
    return tmp_path


def audit_of(folder, *options: str) -> int:
    return cli.main(["audit", "--output", str(folder / "out"), *options])


def rows(folder) -> dict[tuple[str, str], dict]:
    table = pyarrow.dataset.dataset(folder / "out" / "findings").to_table()
    return {(row["kind"], row["path"]): row for row in table.to_pylist()}


def options(folder, **changes) -> AuditOptions:
    made = {"images": None, "split_regex": None, "group_by": None, "against": None} | changes
    return AuditOptions(parse_location(str(folder / "out")), **made)


def test_it_finds_what_was_planted_and_nothing_else(folder, capsys):
    assert audit_of(folder) == ExitCode.DONE
    found = rows(folder)
    assert found.keys() == {
        ("duplicate", "Test/fruit 1/same.png"),
        ("near_duplicate", "Test/fruit 0/part.jpg"),
        ("blurred", "Training/fruit 0/soft.png"),
    }
    part = found["near_duplicate", "Test/fruit 0/part.jpg"]
    assert part["related_path"] == "Training/fruit 0/0.png"
    assert "a part of it, 84% of a side" in part["detail"]
    assert "in Training too" in part["detail"]
    assert found["duplicate", "Test/fruit 1/same.png"]["related_path"] == "Training/fruit 1/1.png"
    said = capsys.readouterr().err
    for sentence in (
        "WARNING: the weights are random numbers",
        "9 photographs looked at",
        "1 there twice, byte for byte",
        "1 there twice, encoded anew or cut",
        "1 blurred",
        "5 in Training, 4 in Test; 2 of the others also in Training",
        "labels were not judged: fewer than 2 labels",
        "findings: ",
        "report: ",
    ):
        assert sentence in said


def test_its_record_says_what_it_looked_at_and_by_what(folder):
    audit_of(folder)
    record = json.loads((folder / "out/findings/_summary.json").read_text())
    (run_id,) = record["made_from"]
    assert (folder / f"out/manifests/{run_id}.json").exists()
    assert record["n_current"] == record["n_looked_at"] == 9
    assert (
        record["n_by_kind"] | {"duplicate": 1, "near_duplicate": 1, "blurred": 1}
        == (record["n_by_kind"])
    )
    assert record["splits"] == {"Training": 5, "Test": 4}
    assert record["n_leaked"] == 2
    assert record["thresholds"]["min_alike_crop"] == 0.98
    assert "random" in record["warning"]
    assert record["seconds_by_stage"].keys() == {"read", "look", "compare", "labels"}


def test_the_report_shows_it_with_pictures(folder):
    audit_of(folder)
    page = (folder / "out/report/index.html").read_text()
    assert "What to look at in the data" in page
    assert 'alt="Image Test/fruit 0/part.jpg"' in page
    assert 'alt="Image Training/fruit 0/0.png"' in page


def test_photographs_that_are_gone_are_counted_and_compared_by_their_digests(folder, capsys):
    assert audit_of(folder, "--images", str(folder / "nothing")) == ExitCode.DONE
    assert rows(folder).keys() == {("duplicate", "Test/fruit 1/same.png")}
    assert "9 photographs could not be read, so that nothing is known" in capsys.readouterr().err


def test_against_another_output_its_own_photographs_are_at_fault(featurized, folder):
    other = AuditOptions(
        parse_location(str(folder / "out")),
        None,
        None,
        None,
        parse_location(str(featurized / "out")),
    )
    record, findings = audit_output(other)
    copies = [each for each in findings if each.kind is FindingKind.DUPLICATE]
    assert len(copies) == record.n_leaked == 9
    source = str(featurized / "images")
    assert all(each.related_path.startswith(f"{source}/") for each in copies)
    assert not any(each.path.startswith(source) for each in copies)


def refused(folder, message: str, **changes) -> None:
    with pytest.raises(FruitsError, match=message):
        audit_output(options(folder, **changes))
    assert not (folder / "out/findings").exists()


def test_an_output_of_another_network_is_refused(featurized, folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(featurized / "out", other)
    (manifest,) = (other / "manifests").iterdir()
    value = json.loads(manifest.read_text())
    value["feature_model"]["network_sha256"] = "1" * 64
    manifest.write_text(json.dumps(value))
    refused(
        folder,
        r"are of another network, so that no distance .* give an output of the same weights",
        against=parse_location(str(other)),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split_regex": "("}, r"--split-regex '\(' is no regular expression"),
        ({"split_regex": "(x)"}, r"--split-regex '\(x\)' puts all 9 photographs in one split"),
        ({"group_by": "["}, r"--group-by '\[' is no regular expression"),
        ({"against": parse_location("/nowhere")}, r"/nowhere holds no features; make some"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(folder, changes, message):
    refused(folder, message, **changes)


def test_an_output_without_features_is_refused(tmp_path):
    refused(tmp_path, r"holds no features; make some with: fruits run")


@pytest.fixture
def own(photographs, spark, seeded_model, tmp_path):
    """Return the options of a run whose photographs may be changed, audited."""
    shutil.copytree(photographs, tmp_path / "images")
    own_options = options_for(tmp_path, save(seeded_model, tmp_path / "model"))
    chain(spark, own_options)
    audit_output(options(tmp_path))
    return own_options


def chain(spark, run_options) -> None:
    to_reduce = ReduceOptions(run_options.output, None, None, False, verbose=False)
    to_report = ReportOptions(run_options.output, 100, verbose=False)
    assert run_chain(lambda: spark.sparkContext, run_options, to_reduce, to_report) is ExitCode.DONE


def still_found(run_options) -> set[str]:
    layout = OutputLayout(run_options.output)
    runs = visible_runs(layout)
    record = audit_record(layout, runs)
    return set() if record is None else {f.path for f in current_findings(layout, runs, record)}


def test_a_photograph_that_has_changed_since_is_no_longer_told_until_the_next_audit(
    spark, own, tmp_path
):
    assert len(still_found(own)) == 3
    put(tmp_path / "images", "Training/fruit 0/0.png", encode(drawn(20), "PNG"))
    (tmp_path / "images/Training/fruit 0/soft.png").unlink()
    chain(spark, own)
    assert still_found(own) == {"Test/fruit 1/same.png"}
    page = (tmp_path / "out/report/index.html").read_text()
    assert 'alt="Image Test/fruit 1/same.png"' in page
    assert "soft.png" not in page
    audit_output(options(tmp_path))
    assert still_found(own) == {"Test/fruit 1/same.png"}
    assert {path for _, path in rows(tmp_path)} == {"Test/fruit 1/same.png"}


def test_an_erasure_removes_what_was_found_of_its_images_and_of_all_others(spark, own, tmp_path):
    erased = "Training/fruit 0/0.png"
    needles = Needles((erased,))
    assert any("findings" in trace for trace in traces(local_files(tmp_path / "out"), needles))
    asking = EraseOptions(
        own.output, (), Asked(paths=frozenset([erased])), False, False, (), 100, False
    )
    assert erase(asking, lambda: spark.sparkContext) is ExitCode.DONE
    assert traces(local_files(tmp_path / "out"), needles) == []
    assert not (tmp_path / "out/findings").exists()
    assert registered_artefacts(OutputLayout(own.output)) == []
    assert find_orphans(OutputLayout(own.output)) == []


def test_a_run_that_replaces_all_others_replaces_what_was_found_of_them(spark, own, tmp_path):
    chain(spark, replace(own, overwrite=True))
    assert not (tmp_path / "out/findings").exists()
    assert registered_artefacts(OutputLayout(own.output)) == []
    assert still_found(own) == set()


def test_what_an_audit_that_died_has_left_is_found_and_no_other(spark, own, tmp_path):
    layout = OutputLayout(own.output)
    assert find_orphans(layout) == []
    (tmp_path / "out/findings/_summary.json").unlink()
    assert {orphan.location.base.rpartition("/out/")[2] for orphan in find_orphans(layout)} == {
        "findings",
        "artefacts/findings.json",
    }
