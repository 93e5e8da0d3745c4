"""What is said before the serverless stack is made or destroyed: what, and what it can cost."""

import textwrap

from cdk_app.config import PipelineConfig
from operations.command_lines import installed_fruits_command, make_command
from operations.costs.prices import load_prices
from operations.costs.run_costs import max_serverless_usd, serverless_capacity
from operations.plan.compute import WIDTH, nobody_is_told

_TARGET = "deploy STACK=serverless"


def deploy_serverless_text(config: PipelineConfig) -> str:
    """Tell what ``make deploy STACK=serverless`` makes, what starts a run, what one can cost."""
    capacity, prices = serverless_capacity(config), load_prices()
    most_usd = max_serverless_usd(capacity, config.run_timeout_hours)
    assumed = prices.serverless_arm.assumption
    return _text(
        f"What make deploy STACK=serverless makes in {config.region}, "
        f"environment {config.environment}:",
        [
            (
                "runs",
                f"on EMR Serverless ({config.architecture}), with {capacity.n_vcpus} vCPUs and "
                f"{capacity.memory_gb} GB of memory at most",
            ),
            ("", f"one at a time, of at most {config.run_timeout_hours} hours; they start"),
            *(("", start) for start in _starts(config)),
            ("cluster", "none, and no network"),
            ("buckets", "photographs, results and logs, where they are not there yet"),
        ],
        "Between runs it costs nothing by the hour.",
        f"A run costs at most {most_usd:.2f} USD: all vCPUs and all memory for "
        f"{config.run_timeout_hours} hours. What a run over your photographs costs is estimated "
        f"with '{installed_fruits_command('cost --images N', config.environment)}'.",
        f"From list prices for Frankfurt, read {prices.read}."
        + (f" Assumed: {assumed}." if assumed else ""),
    ) + "\n".join(["", *nobody_is_told(config, _TARGET)])


def destroy_serverless_text(config: PipelineConfig) -> str:
    """Tell what ``make destroy STACK=serverless`` deletes and what stays."""
    return _text(
        f"What make destroy STACK=serverless deletes in {config.region}, "
        f"environment {config.environment}:",
        [
            ("goes", "the application, the state machine, what starts it, and the roles"),
            ("stays", "photographs, results and logs in their buckets, and the key"),
        ],
        "While a run is under way nothing is deleted.",
    )


def after_deploy_serverless_text(config: PipelineConfig) -> str:
    """Tell how a run is started and followed."""
    submit = installed_fruits_command("submit --serverless --follow", config.environment)
    destroy = make_command("destroy STACK=serverless", config.environment)
    return "\n".join(
        [
            f"start a run and follow it with: {submit}",
            f"delete the application with: {destroy}",
            *nobody_is_told(config, _TARGET),
        ]
    )


def _starts(config: PipelineConfig) -> list[str]:
    starts = [f"by '{installed_fruits_command('submit --serverless', config.environment)}'"]
    if config.schedule:
        starts.append(f"by the clock: {config.schedule}, in UTC")
    if config.start_on_marker:
        starts.append("when an object start/run comes into the bucket for photographs")
    return starts


def _text(heading: str, facts: list[tuple[str, str]], *paragraphs: str) -> str:
    rows = [f"  {name:<8} {fact}" for name, fact in facts]
    prose = [
        line
        for paragraph in paragraphs
        for line in textwrap.wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)
    ]
    return "\n".join([heading, "", *rows, "", *prose])
