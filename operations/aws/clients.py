"""Clients of AWS: one region, a few retries."""

from typing import Any, TypeAlias

import boto3
import botocore.config

from cdk_app.config import REGION

# Services of the whole account that are in one region only, and see no photographs.
_REGIONS = {"freetier": "us-east-1"}
# boto3 creates its clients at run time, without types.
Client: TypeAlias = Any


def aws_client(service: str, *, n_connections: int = 10) -> Client:
    """Return a client of a service, for up to ``n_connections`` threads at a time.

    The region of the user's profile is ignored: the photographs stay in Frankfurt.
    """
    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=n_connections
    )
    return boto3.client(service, region_name=_REGIONS.get(service, REGION), config=config)
