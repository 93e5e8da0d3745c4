"""What a peer is to do, as its command line says it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

# Of `map_batches` and of a batch UDF: what crosses from process to process at a time.
BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class Job:
    """Photographs to featurize, on so many processes of one thread, into a folder of Parquet."""

    paths: list[str]
    model: str
    output: str
    n_processes: int

    @classmethod
    def from_command_line(cls, name: str, description: str | None) -> "Job":
        """Parse the arguments of this process, and list the photographs."""
        parser = argparse.ArgumentParser(prog=f"benchmarks.peers.{name}", description=description)
        parser.add_argument("--images", type=Path, required=True, help="folder of JPEG photographs")
        parser.add_argument("--model", required=True, help="model.tflite")
        parser.add_argument("--output", required=True, help="folder for the table")
        parser.add_argument("--processes", type=int, required=True)
        arguments = parser.parse_args()
        paths = sorted(str(path) for path in arguments.images.rglob("*.jpg"))
        return cls(paths, arguments.model, arguments.output, arguments.processes)
