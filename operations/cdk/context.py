"""The configuration that cdk would read from a command line, without the CDK."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cdk_app.config import ConfigError, PipelineConfig
from spark_assets.errors import FruitsError

_SETTINGS = Path(__file__).resolve().parents[2] / "cdk.json"


def parse_known(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None
) -> argparse.Namespace:
    """Parse with ``-c key=value`` as ``context``; options that are not known are those of cdk."""
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE")
    parsed, _ = parser.parse_known_args(arguments)
    return parsed


def read_config(words: Iterable[str] = ()) -> PipelineConfig:
    """Return the configuration of ``cdk.json`` with ``key=value`` words over it.

    Raises ConfigError for one that is not allowed, and for a key that is given two values;
    FruitsError where the package is installed without its repository.
    """
    given: dict[str, str] = {}
    for word in words:
        key, found, value = word.partition("=")
        if not found:
            raise ConfigError(f"-c {word} has no value; give it as -c {word}=...")
        if given.setdefault(key, value) != value:
            hint = ", as make ENVIRONMENT=..." if key == "environment" else ""
            raise ConfigError(
                f"the context key {key} is given as {given[key]} and as {value}; give it once{hint}"
            )
    return PipelineConfig.from_context(_defaults() | given)


def _defaults() -> dict[str, Any]:
    try:
        text = _SETTINGS.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise FruitsError(
            f"the settings of the cluster are missing ({_SETTINGS.name}), which an installed "
            "package does not hold; give this command in a clone of the repository, "
            "after 'make setup', as .venv/bin/fruits"
        ) from error
    context: dict[str, Any] = json.loads(text)["context"]
    return context
