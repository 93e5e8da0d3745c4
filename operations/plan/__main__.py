"""Says what a target of make is about to do: ``python -m operations.plan deploy -c key=value``.

It asks AWS nothing and imports no CDK, so that it answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cdk_app.config import ConfigError, PipelineConfig, StepsMode
from operations.cdk.context import parse_known, read_config
from operations.plan.deploy_plan import (
    after_deploy_serverless_text,
    after_deploy_text,
    deploy_serverless_text,
    deploy_text,
)
from operations.plan.destroy_plan import (
    destroy_compute_text,
    destroy_data_text,
    destroy_serverless_text,
)

# Where make leaves what the stacks ship.
_WHEELHOUSE, _MODEL = Path("build/wheelhouse"), Path("build/model")


def goals(config: PipelineConfig) -> str:
    """Return what make has to make first, as its goals; nothing for artifacts from elsewhere."""
    made = []
    if config.wheelhouse_path == _WHEELHOUSE:
        made.append(f"wheelhouse ARCHITECTURE={config.architecture}")
    if config.model_path == _MODEL:
        made.append("model")
    return " ".join(made)


def steps_command(config: PipelineConfig) -> str:
    """Return the command of ``fruits`` that brings a new cluster's steps to their end."""
    return "submit --follow" if config.steps is StepsMode.NONE else "status"


_ANSWERS = {
    "deploy": deploy_text,
    "after-deploy": after_deploy_text,
    "deploy-serverless": deploy_serverless_text,
    "after-deploy-serverless": after_deploy_serverless_text,
    "destroy-serverless": destroy_serverless_text,
    "destroy-compute": destroy_compute_text,
    "destroy-data": destroy_data_text,
    "goals": goals,
    "steps-command": steps_command,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the text that is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="operations.plan.__main__", allow_abbrev=False)
    parser.add_argument("about", choices=_ANSWERS)
    parsed = parse_known(parser, arguments)
    try:
        answer = _ANSWERS[parsed.about](read_config(parsed.context))
    except ConfigError as error:
        print(f"fruits: {error}", file=sys.stderr)
        return 1
    if answer:
        print(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
