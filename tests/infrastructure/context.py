"""The context of cdk.json, without the CDK."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def default_context() -> dict[str, Any]:
    return json.loads((ROOT / "cdk.json").read_text())["context"]
