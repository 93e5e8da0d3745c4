"""The alarm of drift on real photographs with real weights.

Few batches, so that the suite stays short; `benchmarks.drift` draws hundreds, and docs/drift.md
has the figures.
"""

import pytest

from benchmarks.drift import NEW_FRUIT, OTHERS, UNDRIFTED, Photographs, alarms
from benchmarks.drifted import DRIFTS
from spark_assets.features.engines import EngineName, build_engine, engine_spec

pytestmark = pytest.mark.slow

N_BATCHES, BATCH_SIZE = 16, 200
FIRST_BATCH = 50
# Of 16 batches with one chance in twenty each, 4 or more come with one seed in 140.
MOST_FALSE_ALARMS = 3


@pytest.fixture(scope="module")
def engine(real_model):
    return build_engine(engine_spec(real_model, EngineName.LITERT))


@pytest.fixture(scope="module")
def turntable(data_dir, engine):
    """Frames of one turning fruit each, on white."""
    return Photographs.featurize(sorted((data_dir / "fruits-360").rglob("*.jpg")), engine)


@pytest.fixture(scope="module")
def phone(data_dir, engine):
    """Shelves of grocery shops, taken with phones."""
    paths = sorted((data_dir / "grocery" / "Training").rglob("*.jpg"))
    return Photographs.featurize(paths, engine, {})


@pytest.fixture(scope="module")
def alarmed(turntable):
    found = alarms(turntable, [BATCH_SIZE], n_batches=N_BATCHES, n_splits=4)
    return {kind: int(batches.sum()) for (kind, _), batches in found.items()}


def test_batches_like_the_fitted_photographs_rarely_raise_an_alarm(alarmed):
    assert alarmed[UNDRIFTED] <= MOST_FALSE_ALARMS


@pytest.mark.parametrize("kind", [NEW_FRUIT, *DRIFTS])
def test_a_drift_raises_one(alarmed, kind):
    assert alarmed[kind] >= 0.9 * N_BATCHES


def test_the_first_phone_photographs_after_those_of_a_turntable_raise_one(turntable, phone):
    others = phone.features[UNDRIFTED]
    found = alarms(turntable, [FIRST_BATCH], n_batches=8, n_splits=4, kinds=[OTHERS], others=others)
    assert found[OTHERS, FIRST_BATCH].all()


def test_phone_photographs_after_phone_photographs_rarely_raise_one(phone):
    found = alarms(phone, [FIRST_BATCH], n_batches=N_BATCHES, n_splits=4, kinds=[UNDRIFTED])
    assert found[UNDRIFTED, FIRST_BATCH].sum() <= MOST_FALSE_ALARMS
