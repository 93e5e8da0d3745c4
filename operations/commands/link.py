"""The link command: the report of the deployed output, for people without access to AWS."""

import argparse
from datetime import UTC, datetime, timedelta

import boto3
import botocore.config
import botocore.exceptions
from botocore.credentials import Credentials, RefreshableCredentials

from cdk_app.config import Environment
from operations.aws.clients import aws_client
from operations.aws.stacks import data_stack
from operations.command_lines import fruits_command
from operations.commands.cloud_arguments import add_environment
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.argument_types import positive_float
from spark_assets.jobs.command import Command, Kind
from spark_assets.output.output import REPORT
from spark_assets.runtime.progress import echo
from spark_assets.storage.credentials import current_keys, find_credentials
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import error_code
from spark_assets.text.printable import printable_line

_MAX_HOURS = 7 * 24  # of S3
_MAX_HOURS_OF_A_ROLE = 12  # of STS, for one session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--hours",
        type=positive_float,
        default=24.0,
        metavar="H",
        help="how long the link works (default 24, at most 168)",
    )
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the link, and on standard error its expiry and who can read the page."""
    report = data_stack(parsed.environment).output.child(*REPORT.split("/"))
    _check_report(report, parsed.environment)
    current_keys()  # renewed where they are about to expire
    credentials = find_credentials()
    now = datetime.now(UTC)
    check_hours(parsed.hours, credentials, now)
    print(signed_url(report, seconds=max(1, int(parsed.hours * 3600))))
    ends_at = _minute(now + timedelta(hours=parsed.hours))
    echo(
        "the page holds thumbnails of photographs; anyone who has the link can read it, without "
        f"logging in, until {ends_at}"
    )
    if _has_unknown_end(credentials):
        echo(
            "WARNING: the AWS credentials are temporary, with an unknown expiry; the link expires "
            "with them if that is earlier"
        )
    return ExitCode.DONE


def check_hours(hours: float, credentials: Credentials, now: datetime) -> None:
    """Raise FruitsError where a link would outlive what S3 allows, or what signs it."""
    if hours > _MAX_HOURS:
        raise FruitsError(f"S3 allows 7 days for a link; give --hours {_MAX_HOURS} or less")
    if _has_unknown_end(credentials) and hours > _MAX_HOURS_OF_A_ROLE:
        raise FruitsError(
            "a link expires with the AWS credentials that sign it, and these "
            "are temporary, with an unknown expiry; a role has at most 12 hours: "
            f"give --hours {_MAX_HOURS_OF_A_ROLE} or less"
        )
    if isinstance(credentials, RefreshableCredentials):
        # The expiry has no public attribute in botocore.
        expires_at: datetime = credentials._expiry_time
        left_hours = (expires_at - now) / timedelta(hours=1)
        if hours > left_hours:
            raise FruitsError(
                "a link expires with the AWS credentials that sign it, and these expire at "
                f"{_minute(expires_at)}; log in again, or give --hours {int(left_hours * 10) / 10} "
                "or less"
            )


def signed_url(report: Location, *, seconds: int) -> str:
    """Return a link to an object that works for some seconds, and is shown as a page."""
    settings = report.s3
    assert settings is not None
    config = botocore.config.Config(
        # The only one for what is encrypted with a key of KMS.
        signature_version="s3v4",
        # Otherwise boto3 signs for the host of all regions, which sends who asks for a new bucket
        # elsewhere, where the signature is not valid.
        s3={"addressing_style": "auto" if settings.endpoint_url else "virtual"},
    )
    client = boto3.client(
        "s3", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
    )
    parameters = {
        "Bucket": report.bucket,
        "Key": report.base.partition("/")[2],
        # A browser would store what has no type of its own.
        "ResponseContentType": "text/html; charset=utf-8",
    }
    url: str = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
    return url


def _check_report(report: Location, environment: Environment) -> None:
    """Raise FruitsError where there is no report yet."""
    try:
        aws_client("s3").head_object(Bucket=report.bucket, Key=report.base.partition("/")[2])
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "404":
            raise
        raise FruitsError(
            f"there is no report at {printable_line(report.uri)} yet; "
            f"make one with: {fruits_command('submit --follow', environment)}"
        ) from error


def _has_unknown_end(credentials: Credentials) -> bool:
    """Return whether credentials are temporary, with an unknown expiry."""
    return bool(credentials.token) and not isinstance(credentials, RefreshableCredentials)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; nothing was made or changed")
