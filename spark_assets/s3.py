"""S3 as boto3 speaks to it, for what pyarrow.fs does not do: versions, conditions, any key."""

from typing import Any, TypeAlias

import botocore.exceptions

from spark_assets.locations import S3Settings

# boto3 makes its clients at run time, and has no types for them.
Client: TypeAlias = Any


class ObjectRefused(OSError):
    """An object cannot be read; the text says what S3 answered, and names no key and no bucket."""

    def __init__(self, code: str) -> None:
        super().__init__(f"S3 answered {code}")


def s3_client(settings: S3Settings, *, n_connections: int = 10) -> Client:
    """Return a client that is safe to use from ``n_connections`` threads at a time."""
    # Its library takes 90 ms to import, which runs on a local folder are spared.
    import boto3
    import botocore.config

    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=n_connections
    )
    return boto3.client(
        "s3", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
    )


def error_code(error: botocore.exceptions.ClientError) -> str:
    """Return the code by which AWS names an error, empty where it gives none."""
    return str(error.response.get("Error", {}).get("Code", ""))
