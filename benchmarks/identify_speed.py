"""Seconds to identify a photograph: a whole process, and each further one.

``python -m benchmarks.identify_speed --output URI --photographs FOLDER`` prints medians of runs.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import describe_machine
from benchmarks.workbench import echo
from spark_assets.errors import ExitCode

_N_FURTHER = 20
# What a service does once it has started: load, answer, answer again.
_IN_PROCESS = """
import sys, time
from pathlib import Path
from recognition.classifier.exported_classifier import load_identifier
from spark_assets.storage.locations import parse_location
contents = [Path(name).read_bytes() for name in sys.argv[2:]]
started = time.perf_counter()
identifier = load_identifier(parse_location(sys.argv[1]))
identifier.identify(contents[0])
first = time.perf_counter() - started
for content in contents[1:]:
    identifier.identify(content)
print(first, (time.perf_counter() - started - first) / (len(contents) - 1))
"""


def whole_process_s(output: str, photographs: Sequence[str]) -> float:
    """Return what ``fruits identify`` takes, from its start to its end."""
    command = [sys.executable, "-m", "operations.cli", "identify", *photographs, "--output", output]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def in_process_s(output: str, photographs: Sequence[str]) -> tuple[float, float]:
    """Return the seconds to load and answer once, and those of each further photograph."""
    command = [sys.executable, "-c", _IN_PROCESS, output, *photographs]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first, further = map(float, done.stdout.split())
    return first, further


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.identify_speed", description=__doc__)
    parser.add_argument("--output", required=True, help="an output with a classifier")
    parser.add_argument("--photographs", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=9, help="of which the median is printed")
    arguments = parser.parse_args(argv)
    paths = sorted(map(str, arguments.photographs.rglob("*.jpg")))[: _N_FURTHER + 1]
    if len(paths) <= _N_FURTHER:
        echo(
            f"{arguments.photographs} holds {len(paths)} .jpg files; give {_N_FURTHER + 1} or more"
        )
        return ExitCode.FAILED
    whole = [whole_process_s(arguments.output, paths[:1]) for _ in range(arguments.runs)]
    inside = [in_process_s(arguments.output, paths) for _ in range(arguments.runs)]
    print(f"{describe_machine()}\n")
    print("| what | target | here |\n|---|---|---|")
    print(f"| whole process, one photograph | at most 1.5 s | {median(whole):.2f} s |")
    first, further = (median(each) for each in zip(*inside, strict=True))
    print(f"| load a classifier and answer once | at most 0.3 s | {first:.2f} s |")
    print(f"| each further photograph | at most 30 ms | {1000 * further:.1f} ms |")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
