"""The configuration of ``cdk.json`` and of ``-c key=value``, read without the CDK."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cdk_app.config import ConfigError, PipelineConfig
from spark_assets.errors import FruitsError

_SETTINGS = Path(__file__).resolve().parents[2] / "cdk.json"


def read_config(words: Iterable[str] = ()) -> PipelineConfig:
    """Return the configuration of ``cdk.json`` with ``key=value`` words over it.

    Raises FruitsError for a value that is not allowed, for a key with two values, and where the
    package is installed without its repository.
    """
    values: dict[str, str] = {}
    for word in words:
        key, found, value = word.partition("=")
        if not found:
            raise FruitsError(f"-c {word} has no value; give it as -c {word}=...")
        if values.setdefault(key, value) != value:
            hint = ", with --environment" if key == "environment" else ""
            raise FruitsError(
                f"the context key {key} has the values {values[key]} and {value}; give it "
                f"once{hint}"
            )
    try:
        return PipelineConfig.from_context(_defaults() | values)
    except ConfigError as error:
        raise FruitsError(str(error)) from error


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
