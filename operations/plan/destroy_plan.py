"""Plans of deletions, printed before them: deleted, and kept."""

from cdk_app.config import PipelineConfig
from operations.plain_text import fact_lines, join, wrap
from operations.plan.deploy_plan import data_fate, rest_usd

_ASSETS = "uploads for the nodes, in the bucket of the CDK"


def destroy_compute_text(config: PipelineConfig) -> str:
    """Return the plan of ``fruits destroy``."""
    return _text(
        "fruits destroy",
        config,
        [
            ("deleted", "the cluster with its disks, and steps that still run"),
            ("", "the network with its endpoints and flow logs, the roles"),
            ("kept", f"photographs, results, logs and key, for {rest_usd()}"),
            ("", _ASSETS),
            ("", data_fate(config)),
        ],
    )


def destroy_serverless_text(config: PipelineConfig) -> str:
    """Return the plan of ``fruits destroy --stack serverless``."""
    return _text(
        "fruits destroy --stack serverless",
        config,
        [
            ("deleted", "the application, the state machine with its triggers, and the roles"),
            ("", "nothing while a run is in progress"),
            ("kept", "photographs, results and logs in their buckets, and the key"),
        ],
    )


def destroy_data_text(config: PipelineConfig) -> str:
    """Return the plan of ``fruits destroy --stack data``; prod keeps its data."""
    if config.is_kept:
        facts = [("deleted", "nothing"), ("kept", f"{data_fate(config)}; {rest_usd()}")]
    else:
        facts = [
            ("deleted", "for good: every photograph, result and log, with all their versions"),
            ("", "the four buckets; the key, after the waiting period that AWS requires"),
            ("kept", _ASSETS),
        ]
    return _text("fruits destroy --stack data", config, facts)


def _text(command: str, config: PipelineConfig, facts: list[tuple[str, str]]) -> str:
    heading = f"{command} deletes in {config.region}, environment {config.environment}:"
    return join([wrap(heading), fact_lines(facts)])
