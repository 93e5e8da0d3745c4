"""Plans of deployments, printed before and after them: contents, cost, end."""

from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig, StepsMode
from cdk_app.instances import InstanceType
from operations.command_lines import fruits_command
from operations.costs.cluster_costs import (
    cluster_shape,
    hourly_costs,
    monthly_costs_at_rest,
    n_interface_endpoints,
    spot_savings,
    total,
)
from operations.costs.prices import Figure, load_prices
from operations.costs.run_costs import max_serverless_usd, serverless_capacity
from operations.plain_text import fact_lines, join, wrap

_STORED_GB = 100
_STEPS = {
    StepsMode.RUN: "featurize, reduce and report, in the stack of the cluster",
    StepsMode.NONE: "featurize, reduce and report, submitted when the cluster is ready",
}


def deploy_text(config: PipelineConfig) -> str:
    """Return the plan of ``fruits deploy``."""
    prices, destroy = load_prices(), fruits_command("destroy", config.environment)
    endpoints_usd = n_interface_endpoints(config) * prices.endpoint.value
    return join(
        [
            wrap(f"fruits deploy creates in {config.region}, environment {config.environment}:"),
            fact_lines([*_cluster(config), ("steps", _STEPS[config.steps]), *_network(config)]),
            wrap("Estimated cost in USD per hour:"),
            _cost_lines(config),
            fact_lines(
                [
                    (
                        "ends",
                        f"cluster: after {config.idle_timeout_minutes} idle minutes; its "
                        f"network stays, at {endpoints_usd:.3f} USD per hour",
                    ),
                    (
                        "",
                        f"both: {config.max_life_hours} hours after the deployment, whatever runs, "
                        f"or with '{destroy}'",
                    ),
                    ("remains", f"buckets and key, for {rest_usd()}"),
                    ("", data_fate(config)),
                ]
            ),
            wrap(
                f"List prices for N. Virginia, of endpoints for Frankfurt, read {prices.read}. "
                f"{_assumed(prices.frankfurt, prices.spot, prices.emr, prices.disk)}"
                "Not included: requests, flow logs, taxes."
            ),
            _no_notices(config, "deploy"),
        ]
    )


def deploy_serverless_text(config: PipelineConfig) -> str:
    """Return the plan of ``fruits deploy --stack serverless``."""
    capacity, prices = serverless_capacity(config), load_prices()
    max_usd = max_serverless_usd(capacity, config.run_timeout_hours)
    return join(
        [
            wrap(
                f"fruits deploy --stack serverless creates in {config.region}, environment "
                f"{config.environment}:"
            ),
            fact_lines(
                [
                    (
                        "runs",
                        f"on EMR Serverless ({config.architecture}), at most {capacity.n_vcpus} "
                        f"vCPUs and {capacity.memory_gb} GB of memory",
                    ),
                    ("", f"one at a time, {config.run_timeout_hours} hours at most; started:"),
                    *(("", start) for start in _starts(config)),
                    ("cluster", "none, and no network"),
                    ("buckets", "photographs, results and logs, if they do not exist yet"),
                    ("cost", "nothing per hour between runs"),
                    (
                        "",
                        f"{max_usd:.2f} USD at most per run: full capacity for "
                        f"{config.run_timeout_hours} hours",
                    ),
                    (
                        "",
                        "a run over N photographs: "
                        f"'{fruits_command('cost --images N', config.environment)}'",
                    ),
                ]
            ),
            wrap(
                f"List prices for Frankfurt, read {prices.read}. "
                f"{_assumed(prices.serverless_arm)}".rstrip()
            ),
            _no_notices(config, "deploy --stack serverless"),
        ]
    )


def after_deploy_text(config: PipelineConfig) -> str:
    """Return the next commands after ``fruits deploy``."""
    submit = fruits_command("submit --follow", config.environment)
    return join(
        [
            [
                f"run the steps again with: {submit}",
                "delete the cluster and its network with: "
                f"{fruits_command('destroy', config.environment)}",
            ],
            _no_notices(config, "deploy"),
        ]
    )


def after_deploy_serverless_text(config: PipelineConfig) -> str:
    """Return the next commands after ``fruits deploy --stack serverless``."""
    submit = fruits_command("submit --serverless --follow", config.environment)
    destroy = fruits_command("destroy --stack serverless", config.environment)
    return join(
        [
            [
                f"start a run and follow it with: {submit}",
                f"delete the application with: {destroy}",
            ],
            _no_notices(config, "deploy --stack serverless"),
        ]
    )


def rest_usd() -> str:
    """Return the monthly cost of what remains without a cluster."""
    key, storage = monthly_costs_at_rest(stored_gb=_STORED_GB)
    return f"about {key.usd:.2f} USD per month and {storage.usd:.2f} per {_STORED_GB} GB"


def data_fate(config: PipelineConfig) -> str:
    """Return what deletes the data, if anything does."""
    if config.is_kept:
        return "prod keeps photographs, results, logs and key: no command deletes them"
    return f"'{fruits_command('destroy --stack data', config.environment)}' deletes them too"


def _cluster(config: PipelineConfig) -> list[tuple[str, str]]:
    primary, worker = config.primary_instance_type, config.worker_instance_type
    equivalents = " or ".join(each.name for each in worker.equivalents)
    return [
        ("cluster", _nodes(1, "primary node", f"{_size(primary)}, on demand")),
        ("", _nodes(config.n_core_nodes, "core node", f"{_size(worker)}, on demand")),
        ("", _nodes(config.n_task_nodes, "task node", f"{equivalents}, Spot or else on demand")),
        ("", f"{ROOT_VOLUME_GIB} + {config.node_volume_gib} GiB of encrypted disk per node"),
    ]


def _nodes(n: int, name: str, kind: str) -> str:
    count = f"{n} {name}{'' if n == 1 else 's'}"
    return f"{count}: {kind}" if n else count


def _size(instance_type: InstanceType) -> str:
    memory_gib = instance_type.memory_mib // 1024
    return f"{instance_type.name} ({instance_type.n_vcpus} vCPUs, {memory_gib} GiB)"


def _network(config: PipelineConfig) -> list[tuple[str, str]]:
    session = ", two of them for Session Manager" if config.session_manager else ""
    unencrypted = ("", "NO ENCRYPTION between the nodes: for sample photographs only")
    return [
        ("network", f"one isolated subnet in {config.availability_zone}, no route to the Internet"),
        *([] if config.in_transit_certificates else [unencrypted]),
        ("", f"{n_interface_endpoints(config)} interface endpoints{session}"),
        ("buckets", "photographs, results, step logs and access logs; versioned and encrypted"),
    ]


def _cost_lines(config: PipelineConfig) -> list[str]:
    shape = cluster_shape(config)
    costs = hourly_costs(shape)
    rows = [*((cost.what, cost.usd) for cost in costs), ("sum", total(costs))]
    lines = [f"  {what:<18} {usd:8.3f}" for what, usd in rows]
    if config.n_task_nodes:
        lines[-1] += f"   ({total(costs) + spot_savings(shape):.3f} without Spot capacity)"
    return lines


def _assumed(*figures: Figure) -> str:
    assumptions = "; ".join(each.assumption for each in figures if each.assumption)
    return f"Assumed: {assumptions}. " if assumptions else ""


def _starts(config: PipelineConfig) -> list[str]:
    submit = fruits_command("submit --serverless", config.environment)
    return [
        f"- by '{submit}'",
        *([f"- on the schedule {config.schedule}, in UTC"] if config.schedule else []),
        *(
            ["- by an object start/run in the bucket for photographs"]
            if config.start_on_marker
            else []
        ),
    ]


def _no_notices(config: PipelineConfig, target: str) -> list[str]:
    """Return a warning if no address receives notices."""
    if config.alarm_email:
        return []
    return wrap(
        "NO NOTICES of failures, idle clusters and cost: no address is set. Set one with: "
        f"{fruits_command(target, config.environment)} -c alarm_email=you@example.org"
    )
