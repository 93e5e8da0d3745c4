"""Says what a make target is about to do: ``python -m cdk_app.plan deploy -c key=value``.

It asks AWS nothing and imports no CDK, so that it answers at once.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cdk_app.config import ConfigError, PipelineConfig
from cdk_app.plan_text import (
    after_deploy_text,
    deploy_text,
    destroy_compute_text,
    destroy_data_text,
)

ROOT = Path(__file__).resolve().parents[1]
# Where the targets of make leave what the stacks ship.
_WHEELHOUSE, _MODEL = Path("build/wheelhouse"), Path("build/model")


def read_config(words: Iterable[str] = ()) -> PipelineConfig:
    """Return the configuration of ``cdk.json`` with ``key=value`` words over it, as the CDK does.

    Raises ConfigError for one that is not allowed, and for a key that is given two values.
    """
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    given: dict[str, Any] = {}
    for word in words:
        key, found, value = word.partition("=")
        if not found:
            raise ConfigError(f"-c {word} has no value; give it as -c {word}=...")
        if given.setdefault(key, value) != value:
            hint = ", as make ENVIRONMENT=..." if key == "environment" else ""
            raise ConfigError(
                f"the context key {key} is given as {given[key]} and as {value}; give it once{hint}"
            )
    return PipelineConfig.from_context(settings["context"] | given)


def goals(config: PipelineConfig) -> str:
    """Return what make has to make first, as its goals; nothing for artifacts from elsewhere."""
    made = []
    if config.wheelhouse_path == _WHEELHOUSE:
        made.append(f"wheelhouse ARCHITECTURE={config.architecture}")
    if config.model_path == _MODEL:
        made.append("model")
    return " ".join(made)


_TEXTS = {
    "deploy": deploy_text,
    "after-deploy": after_deploy_text,
    "destroy-compute": destroy_compute_text,
    "destroy-data": destroy_data_text,
    "goals": goals,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the text that is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="cdk_app.plan", allow_abbrev=False)
    parser.add_argument("text", choices=_TEXTS)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE")
    parsed, _ = parser.parse_known_args(arguments)  # the others are for cdk
    try:
        text = _TEXTS[parsed.text](read_config(parsed.context))
    except ConfigError as error:
        print(f"fruits: {error}", file=sys.stderr)
        return 1
    if text:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
