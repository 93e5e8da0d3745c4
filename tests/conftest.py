"""Fixtures that several test files share."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.runtime import distribute
from spark_assets.runtime.java import jvm_options
from spark_assets.runtime.spark_context import GetSpark
from tests.moto_server import empty, lead_to, moto_server
from tests.selection import Guard

REQUIRE_ALL = os.environ.get("FRUITS_REQUIRE_ALL") == "1"
# Spark's JVMs live for seconds here, in which what their optimizing compiler costs never pays: a
# small run takes a quarter less of the processor without it.
os.environ.setdefault("FRUITS_JVM_OPTIONS", "-XX:TieredStopAtLevel=1")
DATA_DIR = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="run no test that starts a process")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Guard(fast=config.getoption("--fast")))


def skip_or_fail(reason: str) -> None:
    """Skip where a real part cannot be had; fail where everything was asked for."""
    if REQUIRE_ALL:
        pytest.fail(f"FRUITS_REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def starts_processes() -> None:
    """Make each test slow that uses this, or a fixture that does; see tests/selection.py.

    TensorFlow is a process too: it asks ``uname`` while it is imported.
    """


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real photographs and weights."""
    if not DATA_DIR.is_dir():
        skip_or_fail(f"the real photographs and weights are not at {DATA_DIR}")
    return DATA_DIR


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep converted networks where nothing is left of other code, for all processes of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRUITS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@contextmanager
def same_process() -> Iterator[None]:
    """Undo what a command that runs in this process changes of it, as `isolate_process` does."""
    environment, search_path = dict(os.environ), list(sys.path)
    yield
    sys.path[:] = search_path
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def same_process_after_a_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with same_process():
        yield
        monkeypatch.undo()


@pytest.fixture(autouse=True, scope="module")
def same_process_after_a_module() -> Iterator[None]:
    """The same for the commands of fixtures that a module shares."""
    with same_process():
        yield


@pytest.fixture(scope="session")
def seeded_model(starts_processes: None) -> FeatureModel:
    """Return a small network (alpha 0.35) with seeded weights."""
    return FeatureModelRequest("random", 0.35).obtain(verbose=False)


@pytest.fixture(scope="session")
def real_model(starts_processes: None, data_dir: Path) -> FeatureModel:
    """Return the network with real ImageNet weights (alpha 0.35)."""
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    return FeatureModelRequest(str(weights), 0.35).obtain(verbose=False)


@pytest.fixture(scope="session")
def moto_endpoint(
    starts_processes: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of an emulated AWS, one for all tests that empty it before they begin."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture
def emulated_aws(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead every client to the emulated AWS, which holds nothing yet."""
    lead_to(moto_endpoint, monkeypatch)
    empty(moto_endpoint)


@pytest.fixture(scope="session")
def spark(
    starts_processes: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.extraJavaOptions", jvm_options())
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(params=["here", pytest.param("in tasks", marks=pytest.mark.slow)])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> GetSpark:
    """Return the session of what is done in this process, which fails, and then of tasks."""
    if request.param == "here":
        return no_spark
    spark = request.getfixturevalue("spark")
    monkeypatch.setattr(distribute, "_MAX_ROWS_HERE", -1)
    return lambda: spark.sparkContext


def no_spark() -> SparkContext:
    raise AssertionError("Spark was asked for")
