"""What is said before the on-demand stack is made or destroyed: what, and what it costs at rest."""

import textwrap

from cdk_app.config import PipelineConfig
from operations.command_lines import installed_fruits_command, make_command
from operations.costs.clusters import total
from operations.costs.configured import hourly_costs
from operations.plan.compute import WIDTH


def deploy_on_demand_text(config: PipelineConfig) -> str:
    """Tell what ``make deploy STACK=on-demand`` makes, what starts a run and what it costs."""
    n_workers = config.n_core_nodes + config.n_task_nodes
    return _text(
        f"What make deploy STACK=on-demand makes in {config.region}, "
        f"environment {config.environment}:",
        [
            ("cluster", f"none: each run makes one of 1 + {n_workers} nodes, and ends it"),
            ("network", f"one isolated subnet in {config.availability_zone}; no endpoint but S3's"),
            ("runs", f"one at a time, of at most {config.run_timeout_hours} hours; they start"),
            *(("", start) for start in _starts(config)),
            ("buckets", "photographs, results and logs, where they are not there yet"),
        ],
        "At rest it costs nothing by the hour: the two interface endpoints are made with the "
        "cluster and deleted with it.",
        f"While a run lasts it costs about {total(hourly_costs(config)):.2f} USD per hour, as the "
        "cluster of 'make deploy' does (an estimate; 'make deploy' tells its parts).",
    )


def destroy_on_demand_text(config: PipelineConfig) -> str:
    """Tell what ``make destroy STACK=on-demand`` deletes and what stays."""
    return _text(
        f"What make destroy STACK=on-demand deletes in {config.region}, "
        f"environment {config.environment}:",
        [
            ("goes", "the state machine, what starts it, the network and the roles"),
            ("stays", "photographs, results and logs in their buckets, and the key"),
        ],
        "While a run is under way nothing is deleted, for the run needs all of this to end its "
        f"cluster. Follow it with '{follow_command(config)}', or stop it and end its cluster with "
        f"'{stop_command(config)}'.",
        "What an aborted run left, its cluster and its endpoints, is ended first.",
    )


def after_deploy_on_demand_text(config: PipelineConfig) -> str:
    """Tell how a run is started and followed."""
    return (
        f"start a run with: {installed_fruits_command('submit --on-demand', config.environment)}\n"
        f"then follow it with: {follow_command(config)}"
    )


def follow_command(config: PipelineConfig) -> str:
    """Return the command that follows a run to its end."""
    return installed_fruits_command("status --on-demand", config.environment)


def stop_command(config: PipelineConfig) -> str:
    """Return the command that stops a run, ends its cluster and destroys the stack."""
    return make_command("destroy STACK=on-demand STOP=yes", config.environment)


def _starts(config: PipelineConfig) -> list[str]:
    starts = [f"by '{installed_fruits_command('submit --on-demand', config.environment)}'"]
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
