"""A photograph that is too much ends the process that looks at it, and nothing else."""

import os
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS, FruitIdentifier
from recognition.service.limits import MIB, ServiceLimits
from recognition.service.processes import IdentifyingProcess
from recognition.service.refusals import Refused
from spark_assets.errors import FruitsError
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from tests.recognition.hostile import jpeg_of_scans
from tests.recognition.made_classifier import made_classifier, made_record
from tests.recognition.made_service import ColourIdentifier, encoded, fruit, photograph

pytestmark = pytest.mark.slow
LIMITS = ServiceLimits(look_seconds=3.0)


class Fragile(ColourIdentifier):
    """Meets some bytes as a decoder with a fault would."""

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        if content == b"sleep":
            time.sleep(600)
        if content == b"crash":
            os.abort()
        if content == b"fault":
            raise ZeroDivisionError
        return super().identify(content, limits=limits)


class NeverStarts(ColourIdentifier):
    def __setstate__(self, state: object) -> None:
        os._exit(1)


@pytest.fixture(scope="module")
def process(starts_processes: None) -> Iterator[IdentifyingProcess]:
    with IdentifyingProcess(Fragile(), LIMITS) as process:
        process.wait_until_ready()
        yield process


def assert_well(process: IdentifyingProcess) -> None:
    for label in ("apple", "plum"):
        assert process.identify(photograph(label)).label == label


def test_it_answers(process):
    assert_well(process)


def test_what_cannot_be_used_is_told(process):
    with pytest.raises(ImageRejected) as told:
        process.identify(b"nothing")
    assert told.value.reason is Reason.NOT_AN_IMAGE
    assert_well(process)


def test_what_takes_too_long_is_given_up_in_time(process):
    began = time.monotonic()
    with pytest.raises(Refused, match="took_too_long"):
        process.identify(b"sleep")
    assert time.monotonic() - began < LIMITS.look_seconds + 2
    assert_well(process)


def test_a_jpeg_of_endless_scans_is_given_up(process):
    bomb = jpeg_of_scans(6000, 6000, 60_000)
    assert len(bomb) < LIMITS.max_bytes
    with pytest.raises(Refused, match="took_too_long"):
        process.identify(bomb)
    assert_well(process)


def test_an_error_that_nobody_expected_is_raised_here_and_printed_nowhere(process, capfd):
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        process.identify(b"fault")
    assert_well(process)
    assert capfd.readouterr() == ("", "")


def test_a_decoder_that_crashes_is_survived(process, capfd):
    with pytest.raises(ImageRejected) as told:
        process.identify(b"crash")
    assert told.value.reason is Reason.UNREADABLE
    assert_well(process)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux alone counts it")
def test_what_takes_too_much_memory_is_refused(starts_processes, colours):
    limits = ServiceLimits(look_seconds=60.0, process_bytes=160 * MIB)
    picture = encoded(fruit((190, 40, 45), size_px=64).convert("RGBA").resize((5000, 5000)))
    with IdentifyingProcess(colours, limits) as process:
        with pytest.raises(ImageRejected) as told:
            process.identify(picture)
        assert (told.value.reason, told.value.detail) == (
            Reason.TOO_LARGE,
            "not enough memory to decode it",
        )
        assert_well(process)


def test_the_end_waits_for_no_photograph(starts_processes):
    with ThreadPoolExecutor(1) as threads:
        with IdentifyingProcess(Fragile(), ServiceLimits(look_seconds=300.0)) as process:
            process.wait_until_ready()
            child = psutil.Process(process._process.pid)
            asked = threads.submit(process.identify, b"sleep")
            time.sleep(0.2)  # it is being looked at, most likely; before, it ends just so
            n_children = len(psutil.Process().children())
        assert isinstance(asked.exception(timeout=30), ImageRejected)
    assert not child.is_running()
    assert len(psutil.Process().children()) == n_children - 1  # none in its place


def test_it_ends_with_whoever_asks(starts_processes, colours):
    with IdentifyingProcess(colours, LIMITS) as process:
        process.wait_until_ready()
        child = psutil.Process(process._process.pid)
        process._connection.close()
        child.wait(timeout=20)


def test_whoever_would_wait_too_long_for_a_new_process_is_told_to_come_again(starts_processes):
    limits = ServiceLimits(look_seconds=0.01)
    with IdentifyingProcess(Fragile(), limits) as process:
        with pytest.raises(Refused, match="busy"):
            process.identify(photograph("apple"))
        process.wait_until_ready()  # it was left to start


def test_what_does_not_start_is_said(starts_processes):
    with (
        IdentifyingProcess(NeverStarts(), LIMITS) as process,
        pytest.raises(FruitsError, match="did not start"),
    ):
        process.wait_until_ready()


def test_the_real_one_can_be_sent_to_another_process(seeded_model):
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
