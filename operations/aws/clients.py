"""How AWS is reached: one region, a few tries."""

from typing import Any, TypeAlias

import boto3
import botocore.config

from cdk_app.config import REGION

# Services of the whole account that answer in one region only, and see no photographs.
_REGIONS = {"freetier": "us-east-1"}
# boto3 makes its clients at run time, and has no types for them.
Client: TypeAlias = Any


def aws_client(service: str, *, n_connections: int = 10) -> Client:
    """Return a client of one service, safe to use from ``n_connections`` threads at a time.

    Not for the region of the user's profile: the photographs stay in one place, whoever works with
    them.
    """
    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=n_connections
    )
    return boto3.client(service, region_name=_REGIONS.get(service, REGION), config=config)
