"""The alarm of drift on real photographs with real weights.

Few batches, so that the suite stays short; `benchmarks.drift` draws hundreds, and docs/drift.md
tells what it found.
"""

import pytest

from benchmarks.drift import NEW_FRUIT, UNDRIFTED, Photographs, alarms
from benchmarks.drifted import DRIFTS
from spark_assets.features.engines import EngineName, build_engine, engine_spec
from spark_assets.features.weights import FeatureModelRequest

pytestmark = pytest.mark.slow

N_BATCHES, BATCH_SIZE = 16, 200


@pytest.fixture(scope="module")
def alarmed(data_dir):
    weights = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    model = FeatureModelRequest(str(weights), 0.35).obtain(verbose=False)
    paths = sorted((data_dir / "fruits-360").rglob("*.jpg"))
    photographs = Photographs.featurize(paths, build_engine(engine_spec(model, EngineName.LITERT)))
    found = alarms(photographs, [BATCH_SIZE], n_batches=N_BATCHES, n_splits=4)
    return {kind: int(batches.sum()) for (kind, _), batches in found.items()}


def test_batches_like_the_fitted_photographs_rarely_raise_an_alarm(alarmed):
    """Of 16 batches with one chance in twenty each, 4 or more would come with one seed in 140."""
    assert alarmed[UNDRIFTED] <= 3


@pytest.mark.parametrize("kind", [NEW_FRUIT, *DRIFTS])
def test_a_drift_raises_one(alarmed, kind):
    assert alarmed[kind] >= 0.9 * N_BATCHES
