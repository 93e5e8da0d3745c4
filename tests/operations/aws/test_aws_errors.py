"""From what AWS throws to one sentence; no test here talks to a server."""

import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from operations.aws.aws_errors import convert_aws_errors, describe_aws_error, is_missing_stack
from spark_assets.errors import FruitsError
from spark_assets.text.printable import printable_line

ACCOUNT = "123456789012"


def refused(code: str, message: str = "", operation: str = "RunJobFlow") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (aws.NoCredentialsError(), "no AWS credentials were found; run 'aws configure'"),
        (
            aws.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "the AWS credentials lack AWS_SECRET_ACCESS_KEY; set it",
        ),
        (aws.ProfileNotFound(profile="me"), "there is no AWS profile me; 'aws configure list-"),
        (aws.UnauthorizedSSOTokenError(), "the AWS credentials have expired; log in again"),
        (aws.LoginRefreshRequired(), "the AWS credentials have expired; log in again"),
        (
            aws.TokenRetrievalError(provider="sso", error_msg="expired"),
            "the AWS credentials have expired; log in again",
        ),
        (
            aws.EndpointConnectionError(endpoint_url="https://s3"),
            "AWS could not be reached at https://s3; check the network",
        ),
        (
            aws.ConnectTimeoutError(endpoint_url="https://s3"),
            "AWS could not be reached at https://s3; check the network",
        ),
        (
            aws.ProxyConnectionError(proxy_url="http://proxy"),
            "AWS could not be reached at http://proxy; check the network, the proxy",
        ),
        (aws.IncompleteReadError(actual_bytes=1, expected_bytes=2), "AWS could not be reached"),
        (ResponseParserError("b'<!doctype html>'"), "what answered in place of AWS was not AWS"),
        (refused("ExpiredToken"), "the AWS credentials have expired; log in again"),
        (refused("ExpiredTokenException"), "the AWS credentials have expired; log in again"),
        (refused("RequestExpired"), "the AWS credentials have expired; log in again"),
        (refused("InvalidClientTokenId"), "AWS does not know these credentials; check"),
        (refused("RequestTimeTooSkewed"), "the clock of this machine is wrong"),
        (refused("ThrottlingException"), "AWS asks for fewer requests at a time; wait a minute"),
        (refused("SlowDown"), "AWS asks for fewer requests at a time; wait a minute"),
        (refused("BucketAlreadyExists"), "someone else has a bucket of that name already"),
        (refused("BucketAlreadyOwnedByYou"), "you have a bucket of that name already"),
        (
            refused("VcpuLimitExceeded", "You have requested more vCPU than your limit of 5."),
            "a quota of the AWS account is used up: You have requested more vCPU than your limit "
            "of 5; delete what is not needed, or ask for more under Service Quotas",
        ),
        (refused("LimitExceededException", "m"), "a quota of the AWS account is used up: m;"),
        (refused("ServiceQuotaExceededException", "m"), "a quota of the AWS account is used up"),
        (refused("TooManyBuckets", "m"), "a quota of the AWS account is used up: m;"),
        (refused("NoSuchBucket"), "a bucket of the stack does not exist any more"),
        (refused("New", "what it is."), "AWS refused RunJobFlow: New: what it is; for the stack"),
        (aws.BotoCoreError(), "BotoCoreError: An unspecified error occurred; for the stack"),
    ],
)
def test_each_failure_is_one_sentence_with_what_to_do(error, sentence):
    told = describe_aws_error(error)
    assert told.startswith(sentence)
    assert "\n" not in told


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_the_denied_action_is_named_and_the_account_is_not(code):
    message = (
        f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: "
        f"elasticmapreduce:ListSteps on resource: arn:aws:emr:eu-central-1:{ACCOUNT}:cluster/j-1"
    )
    told = describe_aws_error(refused(code, message))
    assert told.startswith("AWS denies you elasticmapreduce:ListSteps; ask for that right")
    assert ACCOUNT not in told


def test_a_denial_that_names_no_action_is_told_by_its_request():
    told = describe_aws_error(refused("AccessDenied", "Access Denied", "ListObjectVersions"))
    assert told.startswith("AWS denies you ListObjectVersions; ask for that right")


@pytest.mark.parametrize("code", ["LimitExceededException", "SomethingNew"])
def test_no_sentence_tells_the_account(code):
    told = describe_aws_error(
        refused(code, f"arn:aws:iam::{ACCOUNT}:role/x in bucket-{ACCOUNT}-eu")
    )
    assert "arn:aws:iam::<account>:role/x in bucket-<account>-eu" in told


def test_numbers_that_are_no_account_stay():
    assert printable_line("application_1700000000000_0001") == "application_1700000000000_0001"


def test_text_from_elsewhere_cannot_write_on_the_terminal():
    assert (
        printable_line("\x1b[2Ja\rb\x00\u202ec\u2028é🍎") == "\\x1b[2Ja\\rb\\x00\\u202ec\\u2028é🍎"
    )


def test_a_line_without_end_is_cut():
    assert len(printable_line("x" * 100_000)) < 1100


def test_failures_in_the_block_are_fruits_errors_that_keep_their_cause():
    error = refused("ExpiredToken")
    with pytest.raises(FruitsError, match="have expired") as caught, convert_aws_errors():
        raise error
    assert caught.value.__cause__ is error


def test_other_failures_pass_through():
    with pytest.raises(ZeroDivisionError), convert_aws_errors():
        raise ZeroDivisionError


def test_a_missing_stack_is_told_from_a_bad_request():
    missing = "Stack with id fruits-test-data does not exist"
    assert is_missing_stack(refused("ValidationError", missing))
    assert not is_missing_stack(refused("ValidationError", "1 validation error detected"))
    assert not is_missing_stack(refused("AccessDenied", missing))
