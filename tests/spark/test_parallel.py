"""Shares of items are worked on in tasks as in this process, and merged in one order."""

import pytest

from spark_assets.runtime import distribute
from spark_assets.runtime.distribute import map_shares, merge_shares
from tests.conftest import no_spark


@pytest.mark.parametrize("n_items", [0, 1, 5, 40])
def test_every_item_is_in_one_share_and_results_come_in_order(either_way, n_items):
    items = [f"{number}.parquet" for number in range(n_items)]
    shares = map_shares(either_way, list, items, n_rows=1)
    assert sorted(name for share in shares for name in share) == sorted(items)
    assert shares == [items[first :: len(shares)] for first in range(len(shares))]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_few_rows_need_no_spark_and_many_do():
    few = distribute._MAX_ROWS_HERE
    assert map_shares(no_spark, sum, [1], n_rows=few) == [1]
    assert merge_shares(no_spark, sum, int.__add__, [1, 2], n_rows=few) == 3
    with pytest.raises(AssertionError, match="Spark was asked for"):
        map_shares(no_spark, sum, [1], n_rows=few + 1)


@pytest.mark.parametrize("n_most", [1, 3, 32])
def test_of_many_shares_the_driver_merges_a_few_in_the_same_order(spark, monkeypatch, n_most):
    merged, collected = distribute._merged, []

    def counted(merge, parts):
        parts = list(parts)
        collected.append(len(parts))
        return merged(merge, parts)

    monkeypatch.setattr(distribute, "n_task_slots", lambda context: 5)
    monkeypatch.setattr(distribute, "_SHARES_PER_SLOT", 4)
    monkeypatch.setattr(distribute, "_MAX_ROWS_HERE", -1)
    monkeypatch.setattr(distribute, "_MAX_PARTS", n_most)
    monkeypatch.setattr(distribute, "_merged", counted)
    names = [f"{number:02d}" for number in range(20)]  # as many shares
    told = {
        merge_shares(lambda: spark.sparkContext, tuple, tuple.__add__, names, n_rows=1)
        for _ in range(3)
    }
    assert len(told) == 1
    assert sorted(told.pop()) == names
    assert collected == [min(n_most, 20)] * 3
