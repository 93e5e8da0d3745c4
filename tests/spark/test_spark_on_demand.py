"""Spark is started once, when it is needed, and stopped at the end."""

import pytest

from spark_assets.runtime.spark_context import SparkOnDemand, is_requested


class Context:
    """Counts what is done to it."""

    def __init__(self):
        self.n_started = self.n_stopped = 0

    def start(self):
        self.n_started += 1
        return self

    def stop(self):
        self.n_stopped += 1

    def cancelAllJobs(self):  # noqa: N802
        raise AssertionError("nothing is interrupted")


def test_one_that_nobody_needs_is_never_started():
    context = Context()
    with SparkOnDemand(context.start):
        pass
    assert (context.n_started, context.n_stopped) == (0, 0)


def test_it_is_one_however_often_it_is_asked_for_and_stopped_at_the_end():
    context = Context()
    with SparkOnDemand(context.start) as on_demand:
        on_demand.begin()
        assert on_demand() is on_demand() is context
        assert context.n_stopped == 0
    assert (context.n_started, context.n_stopped) == (1, 1)


def test_it_is_stopped_where_the_work_fails_before_it_was_asked_for():
    context = Context()

    def work():
        with SparkOnDemand(context.start) as on_demand:
            on_demand.begin()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert (context.n_started, context.n_stopped) == (1, 1)


def test_what_starting_it_raises_comes_to_whoever_needs_it():
    with SparkOnDemand(lambda: 1 / 0) as on_demand, pytest.raises(ZeroDivisionError):
        on_demand()


def test_images_go_to_spark_unless_it_is_not_asked_for():
    context = Context()
    assert is_requested(lambda: context)
    assert is_requested(SparkOnDemand(context.start))
    assert not is_requested(SparkOnDemand(context.start, is_requested=False))
