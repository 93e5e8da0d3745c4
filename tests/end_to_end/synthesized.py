"""A synthesized template with its references resolved, as CloudFormation would resolve them."""

import json
import re
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-central-1"
_PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}


def resolved_resources(template: Path, exports: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the resources of a template by logical id.

    A reference to another resource of the template becomes the logical id of that resource: what
    it would be is known to AWS alone, and the rehearsal needs none of them.
    """
    resources = json.loads(template.read_text())["Resources"]
    return {name: _resolve(resource, exports) for name, resource in resources.items()}


def only(resources: dict[str, dict[str, Any]], of_type: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type."""
    (found,) = [r for r in resources.values() if r["Type"] == of_type]
    return found["Properties"]


def _resolve(value: Any, exports: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolve(item, exports) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return _PSEUDO.get(name, name)
        case {"Fn::ImportValue": name}:
            return exports[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(.+?)\}", lambda found: _PSEUDO[found[1]], text)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolve(parts, exports))
    return {key: _resolve(item, exports) for key, item in value.items()}
