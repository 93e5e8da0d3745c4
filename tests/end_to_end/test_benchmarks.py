"""The benchmarks run and report every figure; how fast anything is, no test says."""

import json
import re
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
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmarks import __main__ as benchmarks_main
from benchmarks import delay_proxy, first_minute, photographs, planning, s3_server
from benchmarks.feature_difference import largest_difference
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
from benchmarks.narrow_tables import narrow_tables
from benchmarks.peers.comparison import Round, peers_figure
from benchmarks.peers.environment import REQUIREMENTS, interpreter_of_peers
from benchmarks.peers.job import Job
from benchmarks.plain_processes import share_figures
from benchmarks.workbench import median_ratio
from spark_assets.errors import ExitCode, FruitsError

ROOT = Path(__file__).resolve().parents[2]
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
def test_the_peak_of_this_process_is_not_that_of_the_one_that_started_it():
    program = "from benchmarks.memory import own_peak_mib; print(own_peak_mib())"
    held = bytearray(b"x") * (400 * 2**20)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < len(held) / 2**20


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


def _write_features(folder, rows):
    folder.mkdir(parents=True)
    columns = {"path": list(rows), "features": pa.array(rows.values(), pa.list_(pa.float32()))}
    pq.write_table(pa.table(columns), folder / "part-0.parquet")
    return folder


def test_features_are_compared_image_by_image_in_standard_deviations(tmp_path):
    theirs = _write_features(tmp_path / "theirs", {"/a/1.jpg": [0, 0], "/a/2.jpg": [4, 1]})
    ours = _write_features(tmp_path / "ours", {"a/2.jpg": [4, 1], "a/1.jpg": [1, 0]})
    assert largest_difference(theirs, ours) == 0.5
    assert largest_difference(ours, ours) == 0


def test_features_of_other_images_are_not_compared(tmp_path):
    theirs = _write_features(tmp_path / "peer" / "t", {"1.jpg": [0], "2.jpg": [1]})
    fewer = _write_features(tmp_path / "fewer", {"1.jpg": [0]})
    with pytest.raises(FruitsError, match="peer and fruits featurize hold different images"):
        largest_difference(theirs, fewer)
    twice = _write_features(tmp_path / "twice" / "t", {"a/1.jpg": [0], "b/1.jpg": [0]})
    with pytest.raises(FruitsError, match="twice holds an image twice"):
        largest_difference(twice, fewer)


def test_the_faster_peer_of_each_round_is_what_counts():
    rounds = [
        Round(ours=10.0, peers={"Daft": 5.0, "Ray Data": 20.0}, difference=0.0),
        Round(ours=10.0, peers={"Daft": 40.0, "Ray Data": 10.0}, difference=2e-5),
    ]
    figure = peers_figure(2_000, rounds)
    assert figure.value == 1.5
    assert figure.verdict == "**missed**"
    assert figure.measured == (
        "fruits 10.0, 10.0 s, Daft 5.0, 40.0 s, Ray Data 20.0, 10.0 s; features differ by at most "
        "2e-05 of their standard deviation"
    )


def test_a_peer_gets_every_photograph_of_the_folder(tmp_path, monkeypatch):
    images = photographs.small_photographs(tmp_path, 3)
    command = ["peer", "--images", str(images), "--model", "m", "--output", "o", "--processes", "2"]
    monkeypatch.setattr(sys, "argv", command)
    job = Job.from_command_line("peer", None)
    assert job.paths == sorted(map(str, images.rglob("*.jpg")))
    assert (len(job.paths), job.model, job.output, job.n_processes) == (3, "m", "o", 2)


def test_the_peers_decode_and_compute_with_the_same_libraries_as_the_product():
    def pins(path):
        return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", path.read_text(), re.MULTILINE))

    peers, product = pins(REQUIREMENTS), pins(ROOT / "requirements.txt")
    for name in ("ai-edge-litert", "numpy", "pi-heif", "pillow"):
        assert peers[name] == product[name]
    assert peers.keys() - product.keys() >= {"daft", "ray"}


@pytest.mark.slow
def test_without_an_index_of_packages_the_peers_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NotMeasuredError, match=r"Daft and Ray could not be installed: .*ERROR"):
        interpreter_of_peers(tmp_path)
    # What is there already is used as long as the lock is the same.
    (tmp_path / "peers" / "installed.txt").write_text(REQUIREMENTS.read_text())
    assert interpreter_of_peers(tmp_path) == tmp_path / "peers" / "bin" / "python"


def test_a_share_is_taken_of_the_plain_processes_right_before_and_after():
    featurize, chain = share_figures(
        10_000, [200.0, 300.0, 500.0], featurized_s=50.0, chain_s=100.0
    )
    assert (featurize.value, chain.value) == (200 / 250, 100 / 400)
    assert featurize.measured.endswith("plain processes 200.0, 300.0 images/s before and after")
    assert (str(featurize.target), str(chain.target)) == ("at least 0.85 x", "at least 0.8 x")


def test_what_is_drawn_for_a_plan_is_what_the_plan_finds(tmp_path):
    tables = narrow_tables(tmp_path, 1_003, 100)
    listed = pq.read_table(tables / "listed.parquet")
    known = pq.read_table(tables / "features")
    assert (listed.num_rows, known.num_rows) == (1_003, 1_003)
    assert listed.equals(listed.sort_by("path"))
    assert pc.count_distinct(known["content_sha256"]).as_py() == 1_003
    seconds, memory = planning.planning_figures(1_003, planning.plan_tables(tables))
    assert seconds.verdict == "reached"
    assert memory.value > 50


def test_a_plan_that_misses_what_was_drawn_is_no_figure():
    planned = {"n_images": 200, "n_changed": 99, "n_deleted": 100}
    with pytest.raises(FruitsError, match=r"'n_changed': 99.* where .*'n_changed': 100.* drawn"):
        planning.planning_figures(1_000, planned)


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
    names = ("scale", "pca", "listing", "planning", "removal")
    only = [argument for name in names for argument in ("--only", name)]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--output", str(tmp_path), "--quick", *only],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    lines = [line for line in finished.stdout.splitlines() if line.startswith("|")][2:]
    assert len(lines) == 11
    assert all("not measured" not in line for line in lines), finished.stdout
    assert str(tmp_path) not in finished.stdout
    shutil.rmtree(tmp_path)
