import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.errors import FruitsError
from spark_assets.images.image_list import read_image_list
from spark_assets.storage.locations import Location, S3Settings, parse_location

BUCKET = Location("bucket/photos", S3Settings("eu-central-1", None))


def written(path: Path, content: str) -> str:
    path.write_text(content)
    return str(path)


def paths(uri: str, images: Location = BUCKET) -> list[str]:
    return [entry.path for entry in read_image_list(uri, images)]


def test_a_text_list_holds_one_path_a_line(tmp_path):
    uri = written(tmp_path / "list.txt", "apple/a b,c%20.jpg\n\ns3://bucket/photos/kiwi/1.jpg\r\n")
    assert paths(uri) == ["apple/a b,c%20.jpg", "kiwi/1.jpg"]


def test_an_inventory_in_csv_has_no_header_and_encoded_keys(tmp_path):
    rows = '"bucket","photos/pomme+verte/p%C3%AAche%2B1.jpg","2048"\n"bucket","photos/a.jpg","1"\n'
    expected = ["pomme verte/pêche+1.jpg", "a.jpg"]
    assert paths(written(tmp_path / "inventory.csv", rows)) == expected
    packed = tmp_path / "inventory.csv.gz"
    packed.write_bytes(gzip.compress(rows.encode()))
    assert paths(str(packed)) == expected


def test_a_csv_with_a_header_names_its_columns(tmp_path):
    uri = written(tmp_path / "list.csv", "size,path\n3,a%20b.jpg\n")
    assert paths(uri) == ["a%20b.jpg"]


def test_an_inventory_in_parquet_tells_size_and_time(tmp_path):
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    table = pa.table(
        {
            "bucket": ["bucket"] * 4,
            "key": ["photos/a.jpg", "photos/old.jpg", "photos/gone.jpg", "photos/_SUCCESS"],
            "is_latest": [True, False, True, True],
            "is_delete_marker": [False, False, True, False],
            "size": [10, 10, None, 0],
            "last_modified_date": [when] * 4,
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "inventory.parquet")
    (entry,) = read_image_list(str(tmp_path / "inventory.parquet"), BUCKET)
    assert (entry.path, entry.size_bytes, entry.modified_at) == ("a.jpg", 10, when)


def test_a_local_list_may_hold_absolute_paths_and_names_with_a_colon(tmp_path):
    images = parse_location(str(tmp_path / "photos"))
    forms = ("", "file:", "file://", "FILE://", "file://localhost")
    absolute = [f"{form}{images.base}/{n}.jpg" for n, form in enumerate(forms)]
    uri = written(tmp_path / "list.txt", "\n".join([*absolute, "b.jpg", "IMG:1.jpg", "file:x"]))
    assert paths(uri, images) == [*(f"{n}.jpg" for n in range(5)), "b.jpg", "IMG:1.jpg", "file:x"]


def test_a_name_that_is_not_utf8_stands_in_a_readable_form(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg\n")
    assert paths(str(tmp_path / "list.txt")) == ["caf\\xe9.jpg"]


@pytest.mark.parametrize(
    "line", ["s3://other/photos/a.jpg", "s3://bucket/elsewhere/a.jpg", "../secret.jpg"]
)
def test_what_lies_outside_the_images_is_refused(tmp_path, line):
    uri = written(tmp_path / "list.txt", line)
    with pytest.raises(FruitsError, match="which is not below s3://bucket/photos"):
        paths(uri)


def test_a_list_that_is_not_there_gets_one_sentence(tmp_path):
    with pytest.raises(FruitsError, match="cannot be read"):
        paths(str(tmp_path / "nowhere.txt"))


def test_a_parquet_file_without_paths_is_refused_with_what_is_needed(tmp_path):
    pyarrow.parquet.write_table(pa.table({"name": ["a"]}), tmp_path / "list.parquet")
    with pytest.raises(FruitsError, match="it needs one named path or key"):
        paths(str(tmp_path / "list.parquet"))


def test_a_damaged_parquet_file_gets_one_sentence(tmp_path):
    with pytest.raises(FruitsError, match="cannot be read"):
        paths(written(tmp_path / "list.parquet", "not parquet"))
