import threading

import pytest

from spark_assets.runtime import progress
from spark_assets.runtime.progress import ProgressRecord, progress_line, track


@pytest.mark.parametrize(
    ("done", "seconds", "line"),
    [
        (0, 30, "0 of 4000 images after 30 s"),
        (1000, 10, "1000 of 4000 images, 100.0 images/s, 0 min 30 s left"),
        (100, 10, "100 of 4000 images, 10.0 images/s, 6 min 30 s left"),
        (4000, 40, "4000 of 4000 images, 100.0 images/s, 0 min 00 s left"),
    ],
)
def test_the_line_tells_images_speed_and_time_left(done, seconds, line):
    assert progress_line(done, 4000, seconds) == line


def test_the_steady_speed_leaves_out_a_slow_start_and_end():
    record = ProgressRecord(1000)
    record.samples = [(20.0, 50), (21.0, 150), (22.0, 250), (27.0, 750), (28.0, 850), (60.0, 1000)]
    assert record.images_per_second_steady() == pytest.approx(100.0)


def test_the_steady_speed_is_the_same_whether_tasks_end_together_or_one_by_one():
    together = [(5.0, 1000), (9.0, 2000), (13.0, 3000), (17.0, 4000)]
    one_by_one = [(5.0 + 2 * n, 500 * (n + 1)) for n in range(8)]
    uneven_end = [*together[:3], (16.6, 3500), (17.4, 4000)]
    for samples in (together, one_by_one, uneven_end):
        speed = ProgressRecord(4000, samples).images_per_second_steady()
        assert speed == pytest.approx(250, rel=0.06)


def test_a_short_run_tells_no_steady_speed():
    assert ProgressRecord(10, [(1.0, 5), (2.0, 10)]).images_per_second_steady() is None


def test_what_is_done_is_asked_for_until_the_block_ends_and_each_change_is_noted(monkeypatch):
    monkeypatch.setattr(progress, "_POLL_S", 0.001)
    told, is_told = iter([0, 3, 3, 7]), threading.Event()

    def n_done():
        if (done := next(told, None)) is None:
            is_told.set()
        return done

    with track(n_done, n_images=8) as record:
        assert is_told.wait(10)
    assert [done for _, done in record.samples] == [3, 7]
    assert record.samples == sorted(record.samples)
