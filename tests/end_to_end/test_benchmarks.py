"""The benchmarks run and report every figure; how fast anything is, no test says."""

import json
import shutil
import socket
import socketserver
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmarks import __main__ as benchmarks_main
from benchmarks import delay_proxy, first_minute, photographs, s3_server
from benchmarks.features_table import draw_features, features_table
from benchmarks.figures import (
    Figure,
    NotMeasuredError,
    at_least,
    at_most,
    describe_machine,
    markdown_table,
)
from benchmarks.memory import WorkerMemory, python_workers
from benchmarks.workbench import median_ratio
from spark_assets.errors import ExitCode, FruitsError

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads Linux' /proc")


def test_small_photographs_are_jpegs_like_those_of_fruits_360(tmp_path):
    paths = sorted(photographs.small_photographs(tmp_path, 60).rglob("*.jpg"))
    assert len(paths) == 60
    assert len({path.parent.name for path in paths}) == photographs.N_LABELS
    for path in paths:
        assert 2_000 < path.stat().st_size < 8_000
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (100, 100))
            image.load()


@pytest.mark.slow
def test_no_two_photographs_hold_the_same_bytes_and_each_go_draws_the_same(tmp_path):
    contents = [
        [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]
        for folder in (
            photographs.small_photographs(tmp_path / "first", 250),
            photographs.small_photographs(tmp_path / "second", 250),
        )
    ]
    assert contents[0] == contents[1]
    assert len(set(contents[0])) == 250


def test_inputs_are_made_once_and_a_go_that_was_cut_short_does_not_count(tmp_path):
    unfinished = tmp_path / "small-3.unfinished"
    unfinished.mkdir()
    (unfinished / "left_over.jpg").write_bytes(b"")
    folder = photographs.small_photographs(tmp_path, 3)
    assert len(list(folder.rglob("*.jpg"))) == 3
    made_at = folder.stat().st_mtime_ns
    assert photographs.small_photographs(tmp_path, 3).stat().st_mtime_ns == made_at


def test_the_tree_to_list_holds_every_name_once(tmp_path):
    tree = photographs.listed_tree(tmp_path, 1_003, n_folders=10)
    names = {path.relative_to(tree) for path in tree.rglob("*.jpg")}
    assert len(names) == 1_003
    assert len(list(tree.iterdir())) == 10


def test_the_features_table_holds_pooled_relu6_features_row_by_row(tmp_path):
    drawn = np.concatenate(list(draw_features(50, 32)))
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() <= 6
    rows = pq.read_table(features_table(tmp_path, 50, 32)).sort_by("path").to_pylist()
    by_index = {int(row["path"][-10:-4]): row["features"] for row in rows}
    read = np.array([by_index[index] for index in range(50)], dtype=np.float32)
    np.testing.assert_array_equal(read, drawn)
    assert all(row["path"].startswith(f"{row['label']}/") for row in rows)


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65_536):
            self.request.sendall(data)


@contextmanager
def _echo_server():
    with (
        socketserver.ThreadingTCPServer((delay_proxy.HOST, 0), _Echo) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        serving = pool.submit(server.serve_forever, poll_interval=0.01)
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.result()


@contextmanager
def _connected(upstream_port, delay_ms):
    with (
        delay_proxy.running_delay_proxy(upstream_port, delay_ms) as port,
        socket.create_connection((delay_proxy.HOST, port), timeout=20) as connection,
        connection.makefile("rwb") as stream,
    ):
        yield stream


@pytest.mark.slow
@pytest.mark.parametrize("delay_ms", [0, 50])
def test_the_proxy_delays_each_exchange_and_keeps_every_byte_in_order(delay_ms):
    content = np.random.default_rng(0).bytes(300_000)
    with _echo_server() as upstream_port, _connected(upstream_port, delay_ms) as stream:
        for _ in range(2):
            started = time.monotonic()
            stream.write(content)
            stream.flush()
            assert stream.read(len(content)) == content
            assert time.monotonic() - started >= delay_ms / 1000


@pytest.mark.slow
def test_the_proxy_closes_the_connection_where_nothing_listens_behind_it():
    with socket.socket() as unused:
        unused.bind((delay_proxy.HOST, 0))
        with _connected(unused.getsockname()[1], delay_ms=0) as stream:
            try:
                received = stream.read(1)
            except ConnectionResetError:
                received = b""
    assert received == b""


def test_without_go_the_storage_figure_says_that_it_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(NotMeasuredError, match="Go is not installed"),
        s3_server.s3_endpoints(tmp_path, (0.0,), bin_dir=tmp_path / "bin"),
    ):
        pass


_WORKER = "held = b'x' * (96 * 2**20); print('ready', flush=True); input()"
_DAEMON = (
    "import subprocess, sys; "
    f"subprocess.run([sys.executable, '-c', {_WORKER!r}], stdin=sys.stdin, check=True)"
)


@pytest.mark.slow
@needs_proc
def test_the_peak_of_a_python_worker_is_what_it_held_at_most():
    command = [sys.executable, "-c", _DAEMON, "pyspark.daemon"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"ready\n"
        (worker,) = python_workers(daemon.pid)
        assert worker != daemon.pid
        with WorkerMemory(daemon) as memory:
            pass
        daemon.stdin.close()
    assert memory.peak_mib is not None
    assert 96 < memory.peak_mib < 160


@pytest.mark.slow
@needs_proc
def test_a_process_that_is_no_worker_has_no_peak():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with WorkerMemory(process) as memory:
            pass
        process.communicate(b"\n")
    assert memory.peak_mib is None


def test_the_first_minute_is_what_it_takes_beyond_the_installation_at_best():
    figure = first_minute.first_minute(alone=[30.0, 20.0], whole=[60.0, 68.0])
    assert figure.value == 60.0 - 1.6 * 20.0
    assert figure.verdict == "reached"
    assert first_minute.first_minute(alone=[20.0], whole=[67.1]).verdict == "**missed**"


def test_a_newcomer_finds_nothing_that_others_have_made(tmp_path):
    theirs = {"UV_CACHE_DIR": "/c", "PIP_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/c", "MAKEFLAGS": "n"}
    ours = str(Path(first_minute.__file__).parents[1] / ".venv" / "bin")
    environment = {"HOME": "/h", "PATH": f"{ours}:/usr/bin", "PIP_CERT": "/cert"} | theirs
    assert first_minute.newcomer(environment, tmp_path) == {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin",
        "PIP_CERT": "/cert",
    }


def test_the_table_says_of_each_figure_whether_its_target_is_reached():
    table = markdown_table(
        [
            Figure("faster", at_least(5), 5.0, "a | b"),
            Figure("slower", at_most(1.1), 1.234, "c"),
            Figure("absent", at_most(60, "s"), None, "no Go"),
        ]
    )
    assert table.splitlines()[2:] == [
        "| faster | at least 5 x | **5 x** | reached | a \\| b |",
        "| slower | at most 1.1 x | **1.23 x** | **missed** | c |",
        "| absent | at most 60 s |  | not measured | no Go |",
    ]


def test_the_ratio_is_taken_round_by_round():
    assert median_ratio([10.0, 40.0, 30.0], [1.0, 2.0, 10.0]) == 10.0


def test_the_description_of_the_machine_names_neither_host_nor_folder():
    described = describe_machine()
    assert "cores" in described
    assert socket.gethostname() not in described.split()
    assert str(Path.cwd()) not in described


def test_a_benchmark_that_fails_does_not_take_the_others_with_it(tmp_path, monkeypatch, capsys):
    def fail(_bench):
        raise FruitsError("the storage is gone")

    benchmarks = {"broken": fail, "fine": lambda _bench: [Figure("one", at_least(1), 2.0, "m")]}
    monkeypatch.setattr(benchmarks_main, "BENCHMARKS", benchmarks)
    assert benchmarks_main.main(["--output", str(tmp_path), "--quick"]) == ExitCode.FAILED
    printed = capsys.readouterr()
    assert "broken failed: the storage is gone" in printed.err
    assert "| one |" in printed.out
    assert json.loads((tmp_path / "benchmarks.json").read_text())[0]["value"] == 2.0
    assert (tmp_path / "benchmarks.md").read_text() in printed.out


@pytest.mark.slow
def test_a_smoke_run_prints_the_figures_that_are_asked_for(tmp_path):
    names = ("scale", "pca", "listing")
    only = [argument for name in names for argument in ("--only", name)]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--output", str(tmp_path), "--quick", *only],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    lines = [line for line in finished.stdout.splitlines() if line.startswith("|")][2:]
    assert len(lines) == 7
    assert all("not measured" not in line for line in lines), finished.stdout
    assert str(tmp_path) not in finished.stdout
    shutil.rmtree(tmp_path)
