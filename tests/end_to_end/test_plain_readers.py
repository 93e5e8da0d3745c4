"""Anybody's reader of the tables finds the photographs as they were last listed, and no other row.

pandas, DuckDB and polars know nothing of the project, nor does Spark.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from operations import cli
from spark_assets.output.pca_model import load_pca_model
from spark_assets.pca.model import project
from spark_assets.storage import schemas
from spark_assets.storage.files import Folder
from spark_assets.storage.locations import parse_location
from tests.spark.images import encode, picture
from tests.spark.runs import put, save

pytestmark = pytest.mark.slow

BAD = b"no image"
CLOUD = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "deploy.md"
Tables: TypeAlias = dict[str, pa.Table]


class Fruits:
    """Photographs, an output, and the commands that bring the one up to date with the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images, self.output = folder / "images", folder / "out"

    def put(self, *paths: str, seed: int = 0, content: bytes | None = None) -> None:
        for number, path in enumerate(paths):
            put(self.images, path, content, seed=seed + number)

    def run(self, *options: str) -> None:
        source = ["--images", str(self.images), "--model", str(self.folder / "model")]
        self.give("run", *source, "--n-components", "3", "--max-rejected", "1", *options)

    def give(self, command: str, *options: str) -> None:
        assert cli.main([command, "--output", str(self.output), *options]) == 0


def add(fruits: Fruits) -> None:
    fruits.put("b/8.png", "c/9.png", seed=20)
    fruits.put("c/bad.png", content=BAD)
    fruits.run()


def change(fruits: Fruits) -> None:
    fruits.put("a/0.png", "b/1.png", content=encode(picture(80, 50, seed=30), "PNG"))
    fruits.put("a/2.png", content=BAD)
    fruits.run()


def delete(fruits: Fruits) -> None:
    for path in ("a/0.png", "b/3.png", "a/bad.png"):
        (fruits.images / path).unlink()
    fruits.run()


def mend(fruits: Fruits) -> None:
    fruits.put("a/bad.png", seed=40)
    fruits.run()


def erase(fruits: Fruits) -> None:
    fruits.give("erase", "--path", "a/0.png", "--path", "b/1.png")


def refit(fruits: Fruits) -> None:
    add(fruits)
    fruits.give("reduce", "--refit", "--n-components", "4")


def begin_afresh(fruits: Fruits) -> None:
    fruits.put("b/8.png", seed=20)
    (fruits.images / "a/0.png").unlink()
    fruits.run("--overwrite")


def do_it_all(fruits: Fruits) -> None:
    for deed in (add, change, mend, erase, refit):
        deed(fruits)


def spoil(fruits: Fruits) -> None:
    fruits.put(*(f"{'ab'[number % 2]}/{number}.png" for number in range(8)), content=BAD)
    fruits.run()


@pytest.fixture
def fruits(tmp_path, seeded_model) -> Fruits:
    """Return an output of eight photographs and one that cannot be used."""
    save(seeded_model, tmp_path / "model")
    made = Fruits(tmp_path)
    made.put(*(f"{'ab'[number % 2]}/{number}.png" for number in range(8)))
    made.put("a/bad.png", content=BAD)
    made.run()
    return made


@pytest.fixture(scope="session")
def readers(spark) -> dict[str, Callable[[Path], pa.Table]]:
    return {
        "pandas": lambda folder: pa.Table.from_pandas(pd.read_parquet(folder)),
        "DuckDB": lambda folder: duckdb.sql(f"FROM '{folder}/*.parquet'").to_arrow_table(),
        "polars": lambda folder: pl.read_parquet(folder).to_arrow(),
        "Spark": lambda folder: spark.read.parquet(str(folder)).toArrow(),
    }


@pytest.mark.parametrize(
    "deed",
    [
        pytest.param(lambda _: None, id="a first run"),
        *(add, change, delete, mend, erase, refit, begin_afresh, do_it_all, spoil),
    ],
)
def test_every_reader_finds_the_source_as_it_was_last_listed(fruits, readers, deed):
    deed(fruits)
    tables = the_same_in_all(readers, fruits.output)
    assert_is_the_source(tables, fruits.images)
    assert tables["reduced"]["path"] == tables["features"]["path"]
    assert_in_one_space(tables, fruits.output)


def test_where_no_photograph_can_be_used_every_reader_finds_columns_without_rows(
    tmp_path, readers, seeded_model
):
    save(seeded_model, tmp_path / "model")
    fruits = Fruits(tmp_path)
    fruits.put("a/0.png", "a/1.png", content=BAD)
    fruits.run()
    tables = the_same_in_all(readers, fruits.output)
    assert (tables["features"].num_rows, tables["rejected"].num_rows) == (0, 2)
    assert "reduced" not in tables  # nothing was fitted that could reduce anything


def test_the_documented_queries_count_what_the_output_holds(fruits):
    connection = duckdb.connect()
    for name in ("features", "rejected", "reduced"):
        connection.execute(f"CREATE VIEW {name} AS FROM '{fruits.output}/{name}/*.parquet'")
    queries = re.findall(r"```sql\n(.*?)```", CLOUD.read_text(), re.DOTALL)
    labels, components, reasons = (connection.execute(query).fetchall() for query in queries)
    assert sorted((label, n_images) for label, n_images, _ in labels) == [("a", 4), ("b", 4)]
    assert reasons == [("not_an_image", 1)]
    model, _ = load_pca_model(Folder.at(parse_location(str(fruits.output / "pca_model"))))
    assert [component for component, _, _ in components] == [1, 2, 3]
    for (_, mean, variance), explained in zip(components, model.explained_variance, strict=True):
        assert abs(mean) < 1e-3 * variance**0.5
        assert variance == pytest.approx(explained, rel=1e-3)


def the_same_in_all(readers: dict[str, Callable[[Path], pa.Table]], output: Path) -> Tables:
    """Return the tables, ordered by path, once every reader has found the same rows and columns."""
    tables = {}
    for name in ("features", "rejected", "reduced"):
        schema = schemas.TABLES[name]
        if (output / name).exists():
            found = {
                reader: read(output / name).cast(schema).sort_by("path")
                for reader, read in readers.items()
            }
            first, *others = found.values()
            for reader, other in zip([*found][1:], others, strict=True):
                assert other.to_pylist() == first.to_pylist(), f"{name}, as {reader} reads it"
            tables[name] = first
    return tables


def assert_is_the_source(tables: Tables, images: Path) -> None:
    contents = {
        path.relative_to(images).as_posix(): path.read_bytes()
        for path in sorted(images.rglob("*.png"))
    }
    good = {path: content for path, content in contents.items() if content != BAD}
    digests = [hashlib.sha256(content).hexdigest() for content in good.values()]
    assert tables["features"]["path"].to_pylist() == [*good]
    assert tables["features"]["content_sha256"].to_pylist() == digests
    assert tables["rejected"]["path"].to_pylist() == sorted(contents.keys() - good.keys())


def assert_in_one_space(tables: Tables, output: Path) -> None:
    """Compare reduced rows with what the model of the output makes of the features."""
    model, _ = load_pca_model(Folder.at(parse_location(str(output / "pca_model"))))
    rows = tables["features"]["features"].to_pylist()
    features = np.array(rows, np.float32).reshape(-1, len(model.mean))
    for reduced, expected in zip(
        tables["reduced"]["pca_features"].to_pylist(), project(model, features), strict=True
    ):
        np.testing.assert_allclose(reduced, expected, atol=1e-4)
