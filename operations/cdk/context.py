"""The configuration that cdk would read from a command line, without the CDK."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cdk_app.config import ConfigError, PipelineConfig

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

    Raises ConfigError for one that is not allowed, and for a key that is given two values.
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
    context = json.loads(_SETTINGS.read_text(encoding="utf-8"))["context"]
    return PipelineConfig.from_context(context | given)
