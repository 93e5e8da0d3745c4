"""The command fruits audit on small outputs: what it writes, what it refuses, what removes it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.photographs import draw_fruit
from recognition.audit.audit_output import AuditOptions, audit_output
from spark_assets.errors import FruitsError
from spark_assets.output.findings_table import AuditRecord, Finding, FindingKind
from spark_assets.storage.locations import parse_location
from tests.spark.commands import Place
from tests.spark.images import encode
from tests.spark.runs import put, save

pytestmark = pytest.mark.slow


def drawn(seed: int) -> Image.Image:
    canvas = draw_fruit(np.random.default_rng(seed), 100)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory, starts_processes):
    """Draw two splits, a re-encoded and an equal copy across them, and a blurred photograph."""
    folder = tmp_path_factory.mktemp("drawn") / "images"
    for n in range(6):
        split, label = ("Training", "Test")[n % 3 == 2], f"fruit {n % 2}"
        put(folder, f"{split}/{label}/{n}.png", encode(drawn(n), "PNG"))
    put(folder, "Test/fruit 0/part.jpg", encode(drawn(0), quality=80))
    put(folder, "Test/fruit 1/same.png", encode(drawn(1), "PNG"))
    soft = drawn(9).filter(ImageFilter.GaussianBlur(2))
    put(folder, "Training/fruit 0/soft.png", encode(soft, "PNG"))
    return folder


@pytest.fixture(scope="module")
def featurized(photographs, seeded_model, tmp_path_factory) -> Place:
    """Return the place of a finished run on them."""
    place = Place(tmp_path_factory.mktemp("run"))
    shutil.copytree(photographs, place.images)
    save(seeded_model, place.folder / "model")
    place.run(command="featurize")
    return place


@pytest.fixture
def place(featurized, tmp_path) -> Place:
    """Return a copy of it, which still names the photographs of the first as its source."""
    shutil.copytree(featurized.out, tmp_path / "out")
    return Place(tmp_path)


def rows(place) -> dict[tuple[str, str], dict]:
    return {(row["kind"], row["path"]): row for row in place.rows("findings").to_pylist()}


def audit(place, **changes) -> tuple[AuditRecord, list[Finding]]:
    made = {"images": None, "split_regex": None, "group_by": None, "test_images": None} | changes
    return audit_output(AuditOptions(place.output.location, **made))


def test_what_is_planted_is_found_recorded_and_shown_and_nothing_else(place, capsys):
    assert place.give("audit") == 0
    found = rows(place)
    assert found.keys() == {
        ("duplicate", "Test/fruit 1/same.png"),
        ("near_duplicate", "Test/fruit 0/part.jpg"),
        ("blurred", "Training/fruit 0/soft.png"),
    }
    part = found["near_duplicate", "Test/fruit 0/part.jpg"]
    assert part["related_path"] == "Training/fruit 0/0.png"
    assert part["detail"].startswith("re-encoded: correlation of details 0.99")
    assert part["detail"].endswith("; the other in Training")
    assert found["duplicate", "Test/fruit 1/same.png"]["related_path"] == "Training/fruit 1/1.png"
    said = capsys.readouterr().err
    for sentence in (
        "WARNING: random weights",
        "audited 9 photographs",
        "1 duplicates (same bytes)",
        "1 near duplicates (re-encoded)",
        "1 blurred",
        "5 in Training, 4 in Test; 2 of the others are duplicated in Training",
        "labels were not judged: fewer than 2 labels",
        "findings: ",
        "report: ",
    ):
        assert sentence in said
    record = json.loads((place.out / "findings/_summary.json").read_text())
    assert record["n_current"] == record["n_audited"] == 9
    expected = {"duplicate": 1, "near_duplicate": 1, "blurred": 1}
    assert {kind: n for kind, n in record["n_by_kind"].items() if n} == expected
    assert record["splits"] == {"Training": 5, "Test": 4}
    assert record["n_leaked"] == 2
    assert record["thresholds"]["min_correlation"] == 0.9996
    assert record["seconds_by_stage"].keys() == {"read", "measure", "reduce", "compare", "labels"}
    page = (place.out / "report/index.html").read_text()
    assert 'alt="Test/fruit 0/part.jpg"' in page
    assert 'alt="Training/fruit 0/0.png"' in page


def test_photographs_that_are_gone_are_counted_and_compared_by_their_digests(place, capsys):
    assert place.give("audit", "--images", str(place.folder / "nothing")) == 0
    assert rows(place).keys() == {
        ("duplicate", "Test/fruit 1/same.png"),
        ("similar_view", "Test/fruit 0/part.jpg"),  # by its features
    }
    assert "9 photographs could not be read and have no pixel statistics" in capsys.readouterr().err


def test_test_images_that_the_output_holds_are_at_fault_and_named_by_their_place(featurized, place):
    test = parse_location(str(featurized.images / "Test"))
    record, findings = audit(place, test_images=test)
    copies = [each for each in findings if each.kind is FindingKind.DUPLICATE]
    assert {each.path.removeprefix(f"{test.uri}/") for each in copies} >= {"fruit 1/same.png"}
    of_test = [each for each in copies if each.path.startswith(test.uri)]
    assert len(of_test) == record.n_leaked == 4
    assert {each.label for each in of_test} == {"fruit 0", "fruit 1"}
    assert not any(each.related_path.startswith(test.uri) for each in of_test)
    assert list(record.splits.values()) == [9, 4]
    assert record.test_images == test.uri
    assert place.give("report") == 0
    page = (place.out / "report/index.html").read_text()
    assert f'alt="{test.uri}/fruit 1/same.png"' in page


def refused(place, message: str, **changes) -> None:
    with pytest.raises(FruitsError, match=message):
        audit(place, **changes)
    assert not (place.out / "findings").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split_regex": "("}, r"--split-regex '\(' is not a valid regular expression"),
        ({"split_regex": "(x)"}, r"--split-regex '\(x\)' puts all 9 photographs in one split"),
        ({"group_by": "["}, r"--group-by '\[' is not a valid regular expression"),
        ({"test_images": parse_location("/nowhere")}, r"/nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(place, changes, message):
    refused(place, message, **changes)


def test_an_output_without_features_is_refused(tmp_path):
    refused(Place(tmp_path), r"holds no features; make some with: fruits run")


@pytest.fixture
def own(photographs, seeded_model, tmp_path) -> Place:
    """Return the place of a run whose photographs may be changed, audited."""
    place = Place(tmp_path)
    shutil.copytree(photographs, place.images)
    save(seeded_model, tmp_path / "model")
    place.run()
    audit(place)
    assert len(rows(place)) == 3
    return place


def test_what_was_found_leaves_with_photographs_that_are_gone_or_changed(own):
    put(own.images, "Training/fruit 0/0.png", encode(drawn(20), "PNG"))
    (own.images / "Training/fruit 0/soft.png").unlink()
    own.run()
    left = {("duplicate", "Test/fruit 1/same.png")}
    assert rows(own).keys() == left
    page = (own.out / "report/index.html").read_text()
    assert 'alt="Test/fruit 1/same.png"' in page
    assert "soft.png" not in page
    audit(own)
    assert rows(own).keys() == left


def test_an_erasure_removes_what_was_found_of_its_images_and_no_more(own):
    found = {("duplicate", "Test/fruit 1/same.png"), ("blurred", "Training/fruit 0/soft.png")}
    assert own.give("erase", "--path", "Training/fruit 0/0.png") == 0
    assert rows(own).keys() == found


def test_a_run_that_begins_afresh_leaves_nothing_that_was_found(own):
    own.run("--overwrite")
    assert not (own.out / "findings").exists()
