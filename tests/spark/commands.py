"""Commands on a folder of photographs, as they are given on a command line, in this process."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from operations import cli
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location
from tests.spark.runs import rows_of


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with photographs in ``images``, a network in ``model``, and an output in ``out``."""

    folder: Path

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def output(self) -> Output:
        return Output.open(parse_location(str(self.out)))

    def run(self, *words: str, command: str = "run") -> None:
        """Give a command that looks at the photographs, which is to succeed."""
        model = str(self.folder / "model")
        source = ("--images", str(self.images), "--model", model, "--max-rejected", "1")
        assert self.give(command, *source, *words) == 0

    def give(self, command: str, *words: str) -> int:
        """Give another command, and return its exit code."""
        return cli.main([command, "--output", str(self.out), *words])

    def rows(self, table: str = "features") -> pa.Table:
        return rows_of(self.out, table)

    def paths(self, table: str = "features") -> list[str]:
        return self.rows(table)["path"].to_pylist()
