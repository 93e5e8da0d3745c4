"""Cost of a cluster per hour: sums by hand, what makes it larger, and the sources of prices."""

import re
from itertools import product

import pytest

from cdk_app.config import REGION
from cdk_app.instances import _FAMILIES, _VCPUS, InstanceType
from operations.cdk.configuration import read_config
from operations.costs.cluster_costs import (
    ClusterShape,
    cluster_shape,
    hourly_costs,
    monthly_costs_at_rest,
    n_interface_endpoints,
    spot_savings,
    total,
)
from operations.costs.prices import HOURS_PER_MONTH, load_prices, read_asset

INSTANCE_TYPES = [InstanceType(*each) for each in product(_FAMILIES, _VCPUS)]
PARTS = ["primary node", "core nodes", "task nodes (Spot)", "EMR", "disks", "VPC endpoints"]


def cost_of(part, **context):
    config = read_config(f"{key}={value}" for key, value in context.items())
    return {cost.what: cost.usd for cost in hourly_costs(cluster_shape(config))}[part]


def figures():
    content = read_asset("prices.json")
    instances = content.pop("instances")
    del content["read"]
    return [*content.items(), *instances.items()]


def test_every_figure_has_a_unit_and_a_source_or_is_called_an_assumption():
    units = ("USD per hour", "USD per month", "USD per thousand", "times the price", "EUR")
    for name, figure in figures():
        assert figure["value"] > 0, name
        assert figure["unit"].startswith(units), name
        assert re.match(r"assumption: \S|AWS price list, \S", figure["source"]), name


def test_what_was_not_read_in_frankfurt_is_an_assumption():
    prices = load_prices()
    for name in ("frankfurt", "spot", "emr", "disk", "serverless_arm", "eur_per_usd"):
        assert getattr(prices, name).assumption, name
    for name in ("endpoint", "storage", "get_requests", "put_requests", "serverless_vcpu"):
        assert getattr(prices, name).assumption is None, name


def test_the_prices_are_dated():
    assert re.fullmatch(r"\d{4}-\d\d to \d{4}-\d\d", load_prices().read)


def test_every_allowed_instance_type_has_a_price():
    prices = load_prices()
    for instance_type in INSTANCE_TYPES:
        on_demand = prices.on_demand(instance_type)
        assert 0 < prices.on_spot(instance_type) < on_demand
        assert 0 < prices.emr_on_top(instance_type) < on_demand


def test_the_price_is_proportional_to_the_vcpus():
    prices = load_prices()
    small, large = InstanceType("c7g", "xlarge"), InstanceType("c7g", "16xlarge")
    assert prices.on_demand(large) == pytest.approx(16 * prices.on_demand(small))


def test_the_parts_of_the_default_cluster_by_hand():
    costs = hourly_costs(cluster_shape(read_config()))
    assert [cost.what for cost in costs] == PARTS
    m7g = 0.1632
    assert [cost.usd for cost in costs] == pytest.approx(
        [
            m7g * 1.2,
            m7g * 1.2,
            2 * m7g * 1.2 * 0.4,
            4 * m7g * 0.25,
            4 * (30 + 64) * 0.0952 / HOURS_PER_MONTH,
            2 * 0.012,
        ]
    )
    assert total(costs) == pytest.approx(0.785, abs=0.001)


@pytest.mark.parametrize(
    ("part", "fewer", "more"),
    [
        ("core nodes", {"n_core_nodes": 1}, {"n_core_nodes": 3}),
        ("task nodes (Spot)", {"n_task_nodes": 0}, {"n_task_nodes": 1}),
        ("EMR", {"n_task_nodes": 0}, {"n_task_nodes": 1}),
        ("EMR", {"n_core_nodes": 1}, {"n_core_nodes": 2}),
        ("disks", {"n_task_nodes": 2}, {"n_task_nodes": 3}),
        ("disks", {"node_volume_gib": 64}, {"node_volume_gib": 65}),
        ("VPC endpoints", {"session_manager": "false"}, {"session_manager": "true"}),
        ("primary node", {}, {"primary_instance_type": "m7g.2xlarge"}),
        ("core nodes", {}, {"worker_instance_type": "r7g.xlarge"}),
    ],
)
def test_more_costs_more(part, fewer, more):
    assert cost_of(part, **fewer) < cost_of(part, **more)


def test_without_spot_the_task_nodes_cost_what_core_nodes_cost():
    config = read_config(["n_core_nodes=2", "n_task_nodes=2"])
    without_spot = cost_of("task nodes (Spot)", n_task_nodes=2) + spot_savings(
        cluster_shape(config)
    )
    assert without_spot == pytest.approx(cost_of("core nodes", n_core_nodes=2))


def test_what_stays_costs_a_key_and_what_is_stored():
    costs = monthly_costs_at_rest(stored_gb=1000)
    assert {cost.what: cost.usd for cost in costs} == pytest.approx(
        {"KMS key": 1.0, "storage of 1000 GB": 24.5}
    )


def test_every_part_of_a_configuration_that_costs_is_in_its_shape():
    options = {
        "primary_instance_type": "c7g.2xlarge",
        "worker_instance_type": "r7g.xlarge",
        "n_core_nodes": "2",
        "n_task_nodes": "5",
        "node_volume_gib": "100",
        "idle_timeout_minutes": "7",
        "session_manager": "true",
    }
    shape = cluster_shape(read_config(f"{key}={value}" for key, value in options.items()))
    assert shape == ClusterShape(
        InstanceType("c7g", "2xlarge"),
        InstanceType("r7g", "xlarge"),
        n_core_nodes=2,
        n_task_nodes=5,
        disk_gb=130,
        n_endpoints=4,
        idle_minutes=7,
    )


@pytest.mark.slow
@pytest.mark.parametrize("session_manager", ["false", "true"])
def test_the_network_has_as_many_endpoints_as_are_counted(session_manager):
    from aws_cdk import App, Stack
    from aws_cdk import aws_kms as kms

    from cdk_app.network import Network

    config = read_config([f"session_manager={session_manager}"])
    stack = Stack(App(), "Stack", env={"region": REGION})
    network = Network(stack, "Network", config=config, key=kms.Key(stack, "Key"))
    assert len(network.interface_endpoints) == n_interface_endpoints(config)
