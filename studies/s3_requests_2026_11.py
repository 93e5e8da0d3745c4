"""What it takes to read an image from S3, far away, with one client or another.

``python -m studies.s3_requests_2026_11 --output FOLDER`` prints a table: each client in a process
of its own, with as many threads as a worker has, in turns.
"""

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figures import NotMeasuredError, describe_machine
from benchmarks.processes import run_module
from benchmarks.s3_server import s3_endpoints
from benchmarks.slow_storage import DELAY_MS
from benchmarks.workbench import FULL, QUICK, Workbench, echo
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import N_READERS, ImageReader
from spark_assets.images.rejection import ImageLimits
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.s3 import s3_client

Read = Callable[[str], bytes]
_N_WARM_UP_IMAGES = 64
_ROUNDS = 7


def the_product(images: Location) -> Read:
    """Read as workers do: obstore, GET."""
    reader = ImageReader(images, limits=ImageLimits())
    return lambda path: reader(ImageEntry(path, None, None))


def pyarrow(images: Location) -> Read:
    """Read as workers did: pyarrow.fs, HEAD and GET."""
    filesystem = images.filesystem

    def read(path: str) -> bytes:
        with filesystem.open_input_file(f"{images.base}/{path}") as stream:
            content: bytes = stream.read()
        return content

    return read


def boto3(images: Location) -> Read:
    """Read with boto3, GET."""
    assert images.s3 is not None
    client = s3_client(images.s3, n_connections=N_READERS)

    def read(path: str) -> bytes:
        content: bytes = client.get_object(Bucket=images.bucket, Key=path)["Body"].read()
        return content

    return read


CLIENTS = {client.__name__: client for client in (the_product, pyarrow, boto3)}


def run(client: str, bucket: Path) -> dict[str, float]:
    """Read every photograph below a folder that is served as a bucket; return the figures."""
    paths = [str(path.relative_to(bucket)) for path in sorted(bucket.rglob("*.jpg"))]
    read = CLIENTS[client](parse_location(f"s3://{bucket.name}"))
    with ThreadPoolExecutor(N_READERS) as pool:
        list(pool.map(read, paths[:_N_WARM_UP_IMAGES]))
        started, processor_s = time.perf_counter(), time.process_time()
        for _ in pool.map(read, paths):
            pass
        seconds, processor_s = time.perf_counter() - started, time.process_time() - processor_s
    return {"images_per_second": len(paths) / seconds, "cpu_ms": processor_s / len(paths) * 1000}


def measure(bench: Workbench) -> str:
    """Return the table as Markdown."""
    images = bench.images()
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with s3_endpoints(images.parent, (DELAY_MS,), bin_dir=bench.programs) as (endpoint,):
        for number in range(_ROUNDS):
            for client in CLIENTS:
                echo(f"{client}, round {number + 1}")
                arguments = ["--client", client, "--bucket", str(images)]
                figures = run_module("s3_requests", arguments, environment=endpoint.environment())
                found[client].append(figures)
    lines = ["| client | ms of processor an image | images/s |", "|---|---|---|"]
    for client, rounds in found.items():
        cpu_ms, speed = (
            statistics.median(each[name] for each in rounds)
            for name in ("cpu_ms", "images_per_second")
        )
        lines.append(f"| {client} | {cpu_ms:.2f} | {speed:.0f} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, or for one client its figures as JSON."""
    parser = argparse.ArgumentParser(prog="studies.s3_requests_2026_11", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="for inputs")
    parser.add_argument("--quick", action="store_true", help="few images")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--bucket", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.client:
        print(json.dumps(run(arguments.client, arguments.bucket)))
        return ExitCode.DONE
    work = Workbench((arguments.output / "work").resolve(), QUICK if arguments.quick else FULL)
    try:
        table = measure(work)
    except (FruitsError, NotMeasuredError) as error:
        echo(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{table}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
