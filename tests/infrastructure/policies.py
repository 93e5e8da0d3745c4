"""What a policy allows: as much of IAM's evaluation as the policies of the project use."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

Statement = Mapping[str, Any]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def matches(pattern: str, text: str) -> bool:
    """Compare as IAM does, where ``*`` and ``?`` are the only signs with a meaning."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda wanted, actual: wanted == actual,
    "StringLike": matches,
    "ArnLike": matches,
    "Bool": lambda wanted, actual: wanted == actual,
    "NumericLessThan": lambda wanted, actual: float(actual) < float(wanted),
}


def allows(
    statements: Iterable[Statement],
    action: str,
    resource: str = "*",
    *,
    principal: str | None = None,
    **context: str,
) -> bool:
    """Tell whether statements allow an action on a resource.

    ``principal`` None is whoever the statements are attached to; ``context`` holds the keys that
    conditions ask for, as IAM writes them.
    """
    return effects(statements, action, resource, principal=principal, **context) == {"Allow"}


def effects(
    statements: Iterable[Statement],
    action: str,
    resource: str = "*",
    *,
    principal: str | None = None,
    **context: str,
) -> set[str]:
    """Return the effects of the statements that apply, each ``Allow`` or ``Deny``; see `allows`."""
    return {
        statement["Effect"]
        for statement in statements
        if _applies(statement, action, resource, principal, context)
    }


def _applies(
    statement: Statement,
    action: str,
    resource: str,
    principal: str | None,
    context: Mapping[str, str],
) -> bool:
    assert not statement.keys() & {"NotAction", "NotResource", "NotPrincipal"}, statement
    return (
        any(matches(each.lower(), action.lower()) for each in listed(statement["Action"]))
        and any(matches(each, resource) for each in listed(statement.get("Resource", "*")))
        and (principal is None or _names(statement["Principal"], principal))
        and _holds(statement.get("Condition", {}), context)
    )


def _names(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    return any(name in ("*", principal) for kind in principals.values() for name in listed(kind))


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        (str(key not in context).lower() == wanted)
        if operator == "Null"
        else key in context
        and any(OPERATORS[operator](each, context[key]) for each in listed(wanted))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )
