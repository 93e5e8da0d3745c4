"""The estimate of a run: its parts by hand, and how it grows."""

from dataclasses import replace

import pytest

from cdk_app.instances import Architecture, InstanceType
from operations.costs.cluster_costs import default_cluster, hourly_costs, total
from operations.costs.run_costs import (
    Capacity,
    Work,
    check_budget,
    default_capacity,
    estimate_run,
    estimate_serverless_run,
    max_serverless_usd,
    stored_gb,
    upload_usd,
)
from operations.costs.speed import load_speed
from spark_assets.errors import FruitsError

SPEED = load_speed()
SMALL_MP = SPEED.photographs[0].megapixels
MILLION = Work(1_000_000, SMALL_MP)
N_IMAGES = (1, 1000, 100_000, 1_000_000, 50_000_000)


def estimate(work=MILLION, *, n_workers=3, is_running=False, **changes):
    shape = replace(default_cluster(), n_task_nodes=n_workers - 1, **changes)
    return estimate_run(work, shape, is_running=is_running)


def part(of, what):
    return sum(cost.usd for cost in of.costs if cost.what == what)


def test_a_million_small_photographs_on_the_default_cluster_by_hand():
    found = estimate()
    start_s, listing_s = 540 + 25 + 3 * 20, 2.1e-5 * 1_000_000
    busy_s = 1_000_000 * (2 / 246.9 + 0.0003) / (12 * 0.9)
    hours = (start_s + listing_s + busy_s) / 3600
    assert found.report_h == pytest.approx(hours)
    assert found.billed_h == pytest.approx(hours + 0.25)
    assert {cost.what: cost.usd for cost in found.costs} == pytest.approx(
        {
            "EC2 on demand": 2 * 0.1632 * 1.2 * found.billed_h,
            "EC2 Spot": 2 * 0.1632 * 1.2 * 0.4 * found.billed_h,
            "EMR": 4 * 0.1632 * 0.25 * found.billed_h,
            "disks": 4 * 94 * 0.0952 / 730 * found.billed_h,
            "VPC endpoints": 2 * 0.012 * found.billed_h,
            "KMS key": 1 / 730 * found.billed_h,
            # A GET of each image; a thousand objects written, a listing for each thousand.
            "S3 requests": 1_000_000 * 0.00043 / 1000 + 2000 * 0.0054 / 1000,
        }
    )
    assert found.usd == pytest.approx(sum(cost.usd for cost in found.costs))
    assert found.usd_per_million == pytest.approx(found.usd)


def test_the_parts_of_the_bill_are_those_of_the_hour():
    found = estimate()
    by_the_hour = total(hourly_costs(default_cluster())) * found.billed_h
    assert found.usd - part(found, "KMS key") - part(found, "S3 requests") == pytest.approx(
        by_the_hour
    )


def test_more_images_cost_more_and_each_of_them_less():
    found = [estimate(Work(n, SMALL_MP)) for n in N_IMAGES]
    assert [one.usd for one in found] == sorted({one.usd for one in found})
    an_image = [one.usd_per_million for one in found]
    assert an_image == sorted(set(an_image), reverse=True)


def test_larger_images_cost_more():
    sums = [estimate(Work(100_000, megapixels)).usd for megapixels in (0.01, 2, 12, 50)]
    assert sums == sorted(set(sums))


@pytest.mark.parametrize("worker", ["m7g.xlarge", "m7g.2xlarge", "c7g.xlarge"])
def test_more_nodes_are_faster_and_cost_more_an_hour(worker):
    found = [estimate(n_workers=n, worker=InstanceType.parse(worker)) for n in (1, 2, 4, 8, 16, 32)]
    times = [one.report_h for one in found]
    assert times == sorted(set(times), reverse=True)
    hourly = [one.usd / one.billed_h for one in found]
    assert hourly == sorted(set(hourly))


def test_a_cluster_that_runs_already_has_no_start_to_wait_for():
    waited_h = estimate().report_h - estimate(is_running=True).report_h
    assert waited_h == pytest.approx((540 + 25) / 3600)


def test_idle_minutes_are_billed_and_do_not_delay_the_report():
    long, short = estimate(idle_minutes=60), estimate(idle_minutes=1)
    assert long.report_h == short.report_h
    assert long.billed_h - short.billed_h == pytest.approx(59 / 60)
    assert long.usd > short.usd


CAPACITY = Capacity(16, Architecture.ARM64)
ON_X86 = replace(CAPACITY, architecture=Architecture.X86_64)


def test_serverless_bills_vcpus_and_memory_of_workers_and_driver():
    found = estimate_serverless_run(MILLION, CAPACITY)
    start_s, listing_s = 120 + 3 * 20, 2.1e-5 * 1_000_000
    busy_s = 1_000_000 * (2 / 246.9 + 0.0003) / (12 * 0.9)
    assert found.report_h == pytest.approx((start_s + listing_s + busy_s) / 3600)
    assert found.report_h == found.billed_h
    assert part(found, "vCPUs") == pytest.approx(16 * found.billed_h * 0.060528 * 0.8)
    assert part(found, "memory") == pytest.approx(64 * found.billed_h * 0.006643 * 0.8)
    assert part(found, "disks") == 0
    assert part(found, "S3 requests") == part(estimate(), "S3 requests")
    faster = estimate_serverless_run(MILLION, replace(CAPACITY, n_vcpus=64))
    assert faster.report_h < found.report_h


def test_the_configured_capacity_is_that_of_driver_and_executors():
    capacity = default_capacity()
    assert (capacity.n_vcpus, capacity.n_executor_vcpus, capacity.memory_gb) == (16, 12, 64)


def test_on_serverless_arm_costs_less_than_x86():
    on_x86 = estimate_serverless_run(MILLION, ON_X86)
    assert part(estimate_serverless_run(MILLION, CAPACITY), "vCPUs") == pytest.approx(
        0.8 * part(on_x86, "vCPUs")
    )


def test_a_run_on_serverless_costs_at_most_all_it_may_have_until_it_is_timed_out():
    assert max_serverless_usd(ON_X86, 6) == pytest.approx(6 * (16 * 0.060528 + 64 * 0.006643))
    assert max_serverless_usd(CAPACITY, 12) == 2 * max_serverless_usd(CAPACITY, 6)


def test_uploading_takes_a_request_an_image_and_what_is_stored_grows_with_the_images():
    assert upload_usd(1_000_000) == pytest.approx(5.4)
    assert stored_gb(MILLION) == pytest.approx(5 + 7)
    assert stored_gb(Work(1_000_000, 12.2)) == pytest.approx(2780 + 7)


def test_above_the_cap_is_refused_with_both_sums_and_at_the_cap_is_not():
    check_budget(2.0, 2.0, what="a run")
    with pytest.raises(FruitsError, match=r"about 2\.51 USD.*allows 2\.50; raise"):
        check_budget(2.51, 2.5, what="a run")
