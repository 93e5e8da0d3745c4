"""`fruits link`: who has it reads the report until it expires, and it promises no longer life."""

import urllib.request
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from cdk_app.config import REGION
from operations import cli
from operations.commands.link import signed_url
from spark_assets.storage.locations import parse_location
from tests.operations.aws.conftest import RESULTS

PAGE = b"<!doctype html><title>apples</title>"
KEY = "chain/report/index.html"


@pytest.fixture
def report(s3, make_data_stack):
    make_data_stack()
    s3.put_object(Bucket=RESULTS, Key=KEY, Body=PAGE)


@pytest.fixture
def session_token(report, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def link(capsys, *words):
    assert cli.main(["link", *words]) == 0
    told = capsys.readouterr()
    return told.out.strip(), told.err


def refused(capsys, *words):
    assert cli.main(["link", *words]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.strip()


def test_the_link_shows_the_report_to_whoever_has_no_credentials(report, capsys):
    url, _ = link(capsys)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == PAGE
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_it_is_said_what_the_page_holds_and_until_when(report, capsys):
    before = datetime.now(UTC)
    _, told = link(capsys, "--hours", "2")
    ends = {f"{moment + timedelta(hours=2):%H:%M UTC}" for moment in (before, datetime.now(UTC))}
    assert "the page holds thumbnails of photographs; anyone who has the link can read it" in told
    assert told.strip().rpartition(" until ")[2][-9:] in ends
    assert "WARNING" not in told


def test_a_link_to_aws_is_encrypted_of_the_region_and_of_signature_version_4(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", REGION)
    url = urlsplit(signed_url(parse_location(f"s3://{RESULTS}/{KEY}"), seconds=7200))
    place = f"{RESULTS}.s3.{REGION}.amazonaws.com"
    assert (url.scheme, url.netloc, url.path) == ("https", place, f"/{KEY}")
    values = parse_qs(url.query)
    assert values["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert values["X-Amz-Expires"] == ["7200"]


def test_without_a_report_there_is_no_link(make_data_stack, capsys):
    make_data_stack()
    told = refused(capsys)
    assert f"there is no report at s3://{RESULTS}/{KEY} yet" in told
    assert told.endswith("make one with: fruits submit --follow")


def test_more_than_s3_allows_is_refused(report, capsys):
    assert refused(capsys, "--hours", "168.1").endswith("give --hours 168 or less")
    link(capsys, "--hours", "168")


@pytest.mark.parametrize(("hours", "is_refused"), [("2.4", False), ("2.6", True)])
def test_a_link_does_not_outlive_what_signs_it(
    session_token, monkeypatch, capsys, hours, is_refused
):
    ends_at = datetime.now(UTC) + timedelta(hours=2.5)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", ends_at.isoformat())
    if not is_refused:
        _, told = link(capsys, "--hours", hours)
        assert "WARNING" not in told
        return
    told = refused(capsys, "--hours", hours)
    assert f"these expire at {ends_at:%Y-%m-%d %H:%M} UTC" in told
    assert told.endswith("log in again, or give --hours 2.4 or less")


def test_credentials_that_do_not_say_when_they_expire_sign_for_half_a_day(session_token, capsys):
    assert refused(capsys).endswith("a role has at most 12 hours: give --hours 12 or less")
    _, told = link(capsys, "--hours", "12")
    assert "WARNING: the AWS credentials are temporary, with an unknown expiry" in told
