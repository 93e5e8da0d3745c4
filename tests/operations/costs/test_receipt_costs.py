"""A receipt: its sums by hand, which runs are in it, and its way through JSON and text."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operations.costs.receipt_costs import (
    ClusterRecord,
    FinishedRun,
    Node,
    cluster_receipt,
    peak_shape,
)
from operations.costs.receipt_text import receipt_text
from operations.costs.run_costs import Work, estimate_run
from operations.costs.speed import load_speed
from spark_assets.errors import FruitsError
from spark_assets.output.cost_receipt import Receipt

SPEED = load_speed()
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
END = START + timedelta(hours=2)
NOW = END + timedelta(days=1)


def node(role="CORE", instance_type="m7g.xlarge", market="ON_DEMAND", *, start_h=0.0, end_h=2.0):
    return Node(
        role,
        instance_type,
        market,
        94,
        START + timedelta(hours=start_h),
        None if end_h is None else START + timedelta(hours=end_h),
    )


PRIMARY, CORE = node("MASTER"), node()
TASK = node("TASK", "m6g.xlarge", "SPOT", start_h=0.5, end_h=1.5)
CLUSTER = ClusterRecord("j-1", START, END, (PRIMARY, CORE, TASK))
RUN = FinishedRun(START + timedelta(minutes=12), 4000, 4000 * 5000)


def receipt(cluster=CLUSTER, runs=(RUN,), now=NOW):
    return cluster_receipt(cluster, runs, now=now)


def part(of, what):
    return next(cost.usd for cost in of.costs if cost.what == what)


def test_the_parts_of_a_small_cluster_by_hand():
    found = receipt()
    m7g, m6g = 0.1632, 0.154
    assert {cost.what: cost.usd for cost in found.costs} == pytest.approx(
        {
            "EC2 on demand": 4 * m7g * 1.2,
            "EC2 Spot": 1 * m6g * 1.2 * 0.4,
            "EMR": 4 * m7g * 0.25 + 1 * m6g * 0.25,
            "disks": 5 * 94 * 0.0952 / 730,
            "VPC endpoints": 2 * 2 * 0.012,
            "KMS key": 2 / 730,
            "S3 requests": 4000 * 0.00043 / 1000 + 1004 * 0.0054 / 1000,
        }
    )
    assert found.usd == pytest.approx(sum(cost.usd for cost in found.costs))
    assert found.usd_per_million == pytest.approx(found.usd * 250)


def test_the_hours_are_added_up_by_type_and_market():
    assert {
        (one.instance_type, one.market): (one.n_nodes, one.hours) for one in receipt().node_hours
    } == {
        ("m6g.xlarge", "SPOT"): (1, 1.0),
        ("m7g.xlarge", "ON_DEMAND"): (2, 4.0),
    }


def test_a_node_that_was_replaced_is_paid_for_as_well():
    lost = node("TASK", "m6g.xlarge", "SPOT", start_h=0, end_h=0.25)
    more = receipt(replace(CLUSTER, nodes=(*CLUSTER.nodes, lost)))
    assert part(more, "EC2 Spot") == pytest.approx(1.25 * part(receipt(), "EC2 Spot"))


def test_a_node_that_came_and_went_at_once_costs_a_minute():
    brief = receipt(replace(CLUSTER, nodes=(*CLUSTER.nodes, node(end_h=0))))
    assert sum(one.hours for one in brief.node_hours) == pytest.approx(5 + 1 / 60)


def test_what_is_still_there_costs_until_now():
    nodes = tuple(node(one.role, end_h=None) for one in CLUSTER.nodes)
    still_there = ClusterRecord("j-1", START, None, nodes)
    first = receipt(still_there, now=START + timedelta(hours=1))
    later = receipt(still_there, now=START + timedelta(hours=3))
    assert first.ended_at is None
    assert part(later, "EMR") == pytest.approx(3 * part(first, "EMR"))
    assert part(later, "VPC endpoints") == pytest.approx(3 * part(first, "VPC endpoints"))
    assert "still running" in receipt_text(first)


@pytest.mark.parametrize(("hours", "n_runs"), [(-0.1, 0), (0.1, 1), (1.9, 1), (2.1, 0)])
def test_a_run_counts_if_it_began_while_the_cluster_was_there(hours, n_runs):
    found = receipt(runs=[replace(RUN, started_at=START + timedelta(hours=hours))])
    assert (found.n_runs, found.n_images) == (n_runs, 4000 * n_runs)


def test_a_run_on_serverless_meanwhile_is_not_counted():
    later = replace(RUN, started_at=RUN.started_at + timedelta(hours=1))
    start = RUN.started_at - timedelta(minutes=1)
    for end, n_runs in ((RUN.started_at + timedelta(minutes=9), 1), (None, 0)):
        found = cluster_receipt(CLUSTER, [RUN, later], now=NOW, serverless_periods=[(start, end)])
        assert (found.n_runs, found.n_images) == (n_runs, 4000 * n_runs)


def test_without_a_run_there_is_no_price_of_an_image_and_no_estimate():
    found = receipt(runs=[])
    assert found.usd > 0
    assert found.usd_per_million is found.estimate_usd is found.estimate is None
    assert part(found, "S3 requests") == 0
    assert "no run read an image" in receipt_text(found)


def test_the_estimate_is_that_of_one_run_on_this_cluster():
    shape = peak_shape(CLUSTER.nodes)
    assert (shape.n_core_nodes, shape.n_task_nodes, shape.primary.name) == (1, 1, "m7g.xlarge")
    expected = estimate_run(Work(4000, SPEED.photographs[0].megapixels), shape)
    assert receipt().estimate == expected.costs
    large = receipt(runs=[replace(RUN, n_bytes=4000 * 3_000_000)])
    assert large.estimate_usd > receipt().estimate_usd


def test_the_size_of_a_cluster_is_that_at_its_largest():
    first = [node("TASK", market="SPOT", start_h=0, end_h=1) for _ in range(2)]
    second = [node("TASK", market="SPOT", start_h=1, end_h=2) for _ in range(3)]
    assert peak_shape([PRIMARY, CORE, *first, *second]).n_task_nodes == 3


def test_a_cluster_without_workers_and_a_type_without_a_price_are_refused():
    with pytest.raises(FruitsError, match="has no worker node yet; wait a minute"):
        peak_shape([PRIMARY])
    odd = replace(CLUSTER, nodes=(node(instance_type="m5.large"),))
    with pytest.raises(FruitsError, match=r"of type m5\.large, which has no price here; .* c7g"):
        receipt(odd)


def test_it_is_read_back_from_json_as_it_was():
    found = receipt()
    assert Receipt.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.to_json()["usd"] == found.usd
    nothing = receipt(runs=[])
    assert Receipt.from_json(json.loads(json.dumps(nothing.to_json()))) == nothing


def test_the_text_has_every_part_the_estimate_and_every_assumption():
    found = receipt()
    text = receipt_text(found)
    for cost in found.costs:
        assert f"  {cost.what:<14}{cost.usd:>9.3f}" in text
    assert f"{found.estimate_usd:.3f}" in text
    assert "m6g.xlarge    spot" in text
    words = " ".join(text.split())
    assert f"1 run over 4,000 images: {found.usd_per_million:,.2f} USD per million" in words
    assert len(found.assumptions) >= 6
    assert [each for each in found.assumptions if each not in words] == []
