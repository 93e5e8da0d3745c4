"""A photograph that is too much ends the worker that identifies it, and nothing else."""

import asyncio
import multiprocessing
import os
import pickle
from collections.abc import Iterator

import pytest
from PIL import Image

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import FruitIdentifier
from recognition.service.limits import MIB, ServiceLimits
from recognition.service.service_errors import ServiceError
from recognition.service.worker_pool import WorkerPool
from spark_assets.errors import FruitsError
from tests.recognition.fragile_identifier import BrokenIdentifier, FragileIdentifier
from tests.recognition.hostile import jpeg_of_scans
from tests.recognition.made_classifier import made_classifier, made_record
from tests.recognition.made_service import ColourIdentifier, encoded, fruit

pytestmark = pytest.mark.slow
# One worker, so that every photograph meets what the one before has left.
SLEEP = f"sleep {os.devnull}".encode()
LIMITS = ServiceLimits(n_workers=1, identify_seconds=3.0, worker_bytes=160 * MIB)


def run(pool: WorkerPool, content: bytes) -> Prediction:
    return asyncio.run(pool.identify(content))


def assert_well(pool: WorkerPool) -> None:
    assert run(pool, encoded(Image.new("RGB", (90, 90), (51, 51, 51)))).probability == 0.2


@pytest.fixture(scope="module")
def shared(starts_processes: None) -> Iterator[WorkerPool]:
    with WorkerPool(FragileIdentifier(), LIMITS) as pool:
        yield pool


@pytest.fixture
def pool(shared, capfd) -> Iterator[WorkerPool]:
    """Return a pool that afterwards works, and has printed nothing."""
    yield shared
    assert_well(shared)
    assert capfd.readouterr() == ("", "")


def too_much_memory() -> bytes:
    return encoded(fruit((190, 40, 45), size_px=64).convert("RGBA").resize((5000, 5000)))


@pytest.mark.parametrize(
    ("make", "code", "detail"),
    [
        (lambda: b"nothing", "not_an_image", None),
        (lambda: SLEEP, "took_too_long", None),
        (lambda: jpeg_of_scans(6000, 6000, 60_000), "took_too_long", None),
        (lambda: b"crash", "unreadable", "the decoder crashed"),
        pytest.param(
            too_much_memory,
            "too_large",
            "not enough memory to decode it",
            marks=pytest.mark.skipif(
                not os.path.exists("/proc/self/statm"), reason="only Linux limits it"
            ),
        ),
    ],
)
def test_a_hostile_photograph_is_refused(pool, make, code, detail):
    content = make()
    assert len(content) < LIMITS.max_bytes
    with pytest.raises(ServiceError) as refused:
        run(pool, content)
    assert refused.value.code == code
    assert detail in (None, refused.value.detail)


def test_an_unexpected_error_is_raised_here(pool):
    with pytest.raises(ZeroDivisionError):
        run(pool, b"fault")


def test_a_worker_killed_between_two_photographs_is_replaced(pool):
    assert_well(pool)
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
    assert_well(pool)


def test_a_photograph_that_no_worker_takes_in_time_is_refused(starts_processes):
    with (
        WorkerPool(FragileIdentifier(), ServiceLimits(n_workers=1, wait_seconds=0.2)) as pool,
        pytest.raises(ServiceError, match="busy"),
    ):
        run(pool, SLEEP)


def test_the_end_waits_for_no_photograph(starts_processes, tmp_path):
    has_begun = tmp_path / "has_begun"
    before = multiprocessing.active_children()

    async def end_early():
        with WorkerPool(FragileIdentifier(), ServiceLimits(identify_seconds=600)) as pool:
            sleeping = asyncio.create_task(pool.identify(f"sleep {has_begun}".encode()))
            while not has_begun.exists():
                await asyncio.sleep(0.01)
        sleeping.cancel()

    asyncio.run(end_early())
    assert set(multiprocessing.active_children()) == set(before)


def test_workers_that_do_not_start_are_an_error(starts_processes):
    before = multiprocessing.active_children()
    with (
        pytest.raises(FruitsError, match="did not start"),
        WorkerPool(BrokenIdentifier(), LIMITS),
    ):
        pytest.fail("the service has started")
    assert set(multiprocessing.active_children()) == set(before)


def test_the_identifier_of_an_output_can_be_pickled(seeded_model):
    features = ColourIdentifier().classifier.reference.vectors  # of any length: none is computed
    rows = len(features)
    classifier = made_classifier(
        features.astype("float32"), [f"{n}.jpg" for n in range(rows)], ["a", "b"] * (rows // 2)
    )
    record = made_record(classifier)
    identifier = FruitIdentifier(classifier, record, seeded_model.facts, seeded_model.tflite)
    sent = pickle.loads(pickle.dumps(identifier))
    assert sent.record == record
    assert sent.classifier.linear.coefficients.tolist() == classifier.linear.coefficients.tolist()
