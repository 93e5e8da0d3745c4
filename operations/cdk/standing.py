"""Refuses while a stack that computes stands: ``python -m operations.cdk.standing -c key=value``.

Asked before the buckets that such a stack uses are emptied, which could not be undone.
"""

import argparse
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk_app.config import REGION, ConfigError, stack_name
from operations.cdk.context import parse_known, read_config
from operations.cdk.failures import sentence_for

# What computes on the buckets, and what make destroy is told of it.
_USERS = {"compute": "", "serverless": " STACK=serverless"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 where there is no such stack, and 1 with a sentence where there is or may be one."""
    parser = argparse.ArgumentParser(prog="operations.cdk.standing", allow_abbrev=False)
    parsed = parse_known(parser, arguments)
    try:
        refusal = _refusal(parsed.context)
    except ConfigError as error:
        refusal = str(error)
    if refusal is None:
        return 0
    print(f"fruits: {refusal}", file=sys.stderr)
    return 1


def _refusal(context: Sequence[str]) -> str | None:
    config = read_config(context)
    if config.is_kept:
        return None  # 'fruits empty' refuses in any case
    for stack, option in _USERS.items():
        name = stack_name(config.environment, stack)
        try:
            boto3.client("cloudformation", region_name=REGION).describe_stacks(StackName=name)
        except (BotoCoreError, ClientError) as error:
            if f"{name} does not exist" in str(error):
                continue
            return sentence_for(str(error))
        return (
            f"the stack {name} is there and uses the buckets, so nothing was deleted; "
            f"destroy it first with: make destroy{option}"
        )
    return None


if __name__ == "__main__":
    sys.exit(main())
