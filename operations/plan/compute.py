"""What is said before something is made or destroyed, as plain text: what, and what it costs."""

import textwrap
from collections.abc import Iterable, Sequence

from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig, StepsMode
from cdk_app.instances import InstanceType
from operations.command_lines import installed_fruits_command, make_command
from operations.costs.cluster_costs import (
    cluster_shape,
    hourly_costs,
    monthly_costs_at_rest,
    n_interface_endpoints,
    spot_savings,
    total,
)
from operations.costs.prices import Figure, Prices, load_prices

WIDTH = 100
_STORED_GB = 100


def deploy_text(config: PipelineConfig) -> str:
    """Tell what ``make deploy`` makes, what it costs, when it ends and what stays."""
    prices = load_prices()
    return _text(
        f"What make deploy makes in {config.region}, environment {config.environment}:",
        "",
        *_facts(_made(config)),
        "",
        "What it costs, an estimate in USD per hour:",
        "",
        *_costs(config),
        "",
        *_wrapped(_reservation(prices)),
        "",
        *_wrapped(
            f"The cluster ends by itself after {config.idle_timeout_minutes} minutes without work. "
            f"The network stays until {_make('destroy', config)}, with its endpoints for "
            f"{_endpoints_usd(config):.3f} USD per hour. {config.max_life_hours} hours after 'make "
            "deploy' both are deleted, whatever the cluster does."
        ),
        *_wrapped(f"After {_make('destroy', config)} {_rest()}"),
        *_wrapped(_kept(config)),
        *nobody_is_told(config),
    )


def destroy_compute_text(config: PipelineConfig) -> str:
    """Tell what ``make destroy`` deletes and what stays."""
    return _text(
        f"What make destroy deletes in {config.region}, environment {config.environment}:",
        "",
        *_facts(
            [
                ("goes", "the cluster with its disks, and steps that still run"),
                ("", "the network with its endpoints and flow logs, the roles"),
                ("stays", "photographs, results and logs in their buckets, and the key"),
                ("", "what was uploaded for the nodes, in the bucket of the CDK"),
            ]
        ),
        "",
        *_wrapped(f"From then on {_rest()}"),
        *_wrapped(_kept(config)),
    )


def destroy_data_text(config: PipelineConfig) -> str:
    """Tell what ``make destroy STACK=data`` deletes, or that prod keeps its data."""
    heading = f"{{}} in {config.region}, environment {config.environment}:"
    if config.is_kept:
        return _text(
            heading.format("What make destroy STACK=data deletes"),
            "",
            *_facts([("goes", "nothing"), ("stays", "photographs, results and logs, and the key")]),
            "",
            *_wrapped(_kept(config)),
            *_wrapped(f"They cost {_rest_usd()}."),
        )
    return _text(
        heading.format("What make destroy STACK=data deletes for good"),
        "",
        *_facts(
            [
                ("goes", "every photograph, result and log, with all their versions"),
                ("", "the four buckets; the key, after the waiting time that AWS asks for"),
                ("stays", "what was uploaded for the nodes, in the bucket of the CDK"),
            ]
        ),
    )


def after_deploy_text(config: PipelineConfig) -> str:
    """Tell what can be done with the cluster that is there, until it ends by itself."""
    return _text(
        "run the steps once more with: "
        f"{installed_fruits_command('submit --follow', config.environment)}",
        f"delete the cluster and its network with {_make('destroy', config)}",
        *nobody_is_told(config),
    )


def nobody_is_told(config: PipelineConfig, target: str = "deploy") -> list[str]:
    """Tell aloud where no address is given, as lines; nothing where one is."""
    if config.alarm_email:
        return []
    return [
        "",
        *_wrapped(
            "NOBODY IS TOLD of failures, of a cluster that is idle or of what it costs: no address "
            f"is given. Give one with: {make_command(target, config.environment)} "
            'CDK_OPTIONS="-c alarm_email=you@example.org"'
        ),
    ]


def _made(config: PipelineConfig) -> list[tuple[str, str]]:
    primary, worker = config.primary_instance_type, config.worker_instance_type
    stand_ins = " or ".join(each.name for each in worker.equivalents)
    cluster = [
        _nodes(1, "primary node", f"{_size(primary)}, on demand"),
        _nodes(config.n_core_nodes, "core node", f"{_size(worker)}, on demand"),
        _nodes(
            config.n_task_nodes,
            "task node",
            f"{stand_ins}, Spot; on demand if there is no Spot" if config.n_task_nodes else "",
        ),
        f"{ROOT_VOLUME_GIB} + {config.node_volume_gib} GiB of encrypted disk on each node",
    ]
    steps = {
        StepsMode.RUN: "featurize, reduce and report, in the stack of the cluster",
        StepsMode.NONE: "featurize, reduce and report, submitted when the cluster is there",
    }[config.steps]
    network = [
        f"one isolated subnet in {config.availability_zone}, without a way to the Internet",
        *(
            []
            if config.in_transit_certificates
            else ["NO ENCRYPTION between the nodes: for sample photographs only"]
        ),
        f"{n_interface_endpoints(config)} interface endpoints"
        + (", two of them for Session Manager" if config.session_manager else ""),
    ]
    return [
        *_below("cluster", cluster),
        ("steps", steps),
        *_below("network", network),
        ("buckets", "photographs, results, step logs and access logs; versioned and encrypted"),
    ]


def _nodes(n: int, name: str, kind: str) -> str:
    return f"{f'{n} {name}' + 's' * (n != 1):<15} {kind}".rstrip()


def _size(instance_type: InstanceType) -> str:
    memory_gib = instance_type.memory_mib // 1024
    return f"{instance_type.name} ({instance_type.n_vcpus} vCPUs, {memory_gib} GiB)"


def _costs(config: PipelineConfig) -> list[str]:
    shape = cluster_shape(config)
    costs = hourly_costs(shape)
    rows = [(cost.what, cost.usd) for cost in costs] + [("sum", total(costs))]
    lines = [f"  {what:<18} {usd:8.3f}" for what, usd in rows]
    if config.n_task_nodes:
        lines[-1] += f"   ({total(costs) + spot_savings(shape):.3f} if there is no Spot)"
    return lines


def _reservation(prices: Prices) -> str:
    figures: Sequence[Figure] = (prices.frankfurt, prices.spot, prices.emr, prices.disk)
    assumed = "; ".join(price.assumption for price in figures if price.assumption)
    return (
        f"From list prices for N. Virginia and endpoints in Frankfurt, read {prices.read}. "
        f"Assumed: {assumed}. Requests, flow logs and taxes are not in it."
    )


def _endpoints_usd(config: PipelineConfig) -> float:
    return n_interface_endpoints(config) * load_prices().endpoint.value


def _rest() -> str:
    return f"the buckets and their key stay, for {_rest_usd()}."


def _rest_usd() -> str:
    key, storage = monthly_costs_at_rest(stored_gb=_STORED_GB)
    return f"{key.usd:.2f} USD a month and {storage.usd:.2f} for each {_STORED_GB} GB (an estimate)"


def _kept(config: PipelineConfig) -> str:
    if config.is_kept:
        return (
            "prod keeps photographs, results, logs and key: no command deletes them, and their "
            "stack is protected."
        )
    return f"{_make('destroy STACK=data', config)} deletes them too."


def _make(target: str, config: PipelineConfig) -> str:
    return f"'{make_command(target, config.environment)}'"


def _below(name: str, lines: Iterable[str]) -> list[tuple[str, str]]:
    return [("" if i else name, line) for i, line in enumerate(lines)]


def _facts(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {name:<8} {fact}" for name, fact in rows]


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def _text(*lines: str) -> str:
    return "\n".join(lines)
