"""One setting says how long things are kept: the template, the page and the command agree."""

import json
from pathlib import Path

import pytest

from cdk_app.config import Environment
from cdk_app.retention_days import DEFAULTS, Retention, parse_retention, retention_lines
from operations import cli
from operations.aws.stacks import DataStack
from operations.commands.retention import _differences
from spark_assets.storage.locations import Location, S3Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "data-protection.md"
S3 = S3Settings("eu-central-1", None)
STACK = DataStack(
    "data", Location("raw/images", S3), Location("results/chain", S3), ("raw", "results", "logs")
)


def test_the_page_for_data_protection_quotes_the_setting():
    page = PAGE.read_text(encoding="utf-8")
    test, prod = (dict(retention_lines(DEFAULTS[name])) for name in ("test", "prod"))
    for what in test:
        assert f"| {what} | {test[what]} | {prod[what]} |" in page


@pytest.mark.parametrize("environment", list(Environment))
def test_the_command_prints_the_setting(environment, capsys):
    assert cli.main(["retention", "--environment", environment]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"{what}: {days}" for what, days in retention_lines(DEFAULTS[environment])]


def test_days_are_changed_by_name():
    kept = parse_retention("test", "photographs=90 logs=14")
    assert kept == Retention(90, 7, 14, 1, 0)
    assert dict(retention_lines(kept))["photographs"] == "90 days"


@pytest.mark.parametrize("text", ["old_versions=0", "logs=0", "unfinished_uploads=0", "tier=9999"])
def test_what_s3_cannot_do_is_refused(text):
    with pytest.raises(ValueError, match=text.partition("=")[0]):
        parse_retention("test", text)


class Buckets:
    """Answers as S3 does for the lifecycle of buckets."""

    def __init__(self, **rules):
        self.rules = rules

    def get_bucket_lifecycle_configuration(self, Bucket):  # noqa: N803
        days, old = self.rules[Bucket]
        rules = [{"ID": "expire-noncurrent-versions", "Status": "Enabled"}]
        rules[0]["NoncurrentVersionExpiration"] = {"NoncurrentDays": old}
        if days:
            rules.append({"ID": "expire", "Status": "Enabled", "Expiration": {"Days": days}})
        return json.loads(json.dumps({"Rules": rules}))


def test_a_bucket_that_keeps_things_otherwise_is_told():
    kept = DEFAULTS["test"]
    assert not list(_differences(Buckets(raw=(0, 7), results=(0, 7), logs=(30, 7)), STACK, kept))
    told = list(_differences(Buckets(raw=(0, 30), results=(5, 7), logs=(0, 7)), STACK, kept))
    assert told == [
        "raw keeps old versions for 30 days",
        "results keeps objects for 5 days",
        "logs keeps objects for ever",
    ]
