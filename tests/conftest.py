"""Fixtures that several test files share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.weights import FeatureModelRequest

REQUIRE_ALL = os.environ.get("FRUITS_REQUIRE_ALL") == "1"
DATA_DIR = Path(__file__).resolve().parents[2] / "shared" / "data"


def skip_or_fail(reason: str) -> None:
    """Skip where a real part cannot be had; fail where everything was asked for."""
    if REQUIRE_ALL:
        pytest.fail(f"FRUITS_REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real photographs and weights."""
    if not DATA_DIR.is_dir():
        skip_or_fail(f"the real photographs and weights are not at {DATA_DIR}")
    return DATA_DIR


@pytest.fixture(scope="session")
def seeded_model() -> FeatureModel:
    """Return a small network (alpha 0.35) with seeded weights."""
    return FeatureModelRequest("random", 0.35).obtain(verbose=False)


@pytest.fixture(scope="session")
def real_model(data_dir: Path) -> FeatureModel:
    """Return the network with real ImageNet weights (alpha 0.35)."""
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    return FeatureModelRequest(str(weights), 0.35).obtain(verbose=False)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield session
    session.stop()
