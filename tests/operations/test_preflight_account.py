"""The preflight's checks of the account: each outcome, with its sentence and its command."""

import pytest

from operations.preflight.account import (
    BOOTSTRAP_VERSION,
    check_bootstrap,
    check_cleanup_role,
    check_credentials,
    check_notices,
    check_spot_role,
)
from operations.preflight.facts import Subscription, Unanswered
from operations.preflight.outcomes import Level
from tests.operations.preflight_facts import configured, facts

ACCOUNT, OTHER = "123456789012", "111122223333"
DENIED = Unanswered("AWS denies you x:Y; ask for that right, or use another profile")


def test_credentials_that_work_are_for_any_account_where_none_is_configured():
    seen = check_credentials(configured(), ACCOUNT)
    assert (seen.level, seen.sentence) == (Level.OK, "AWS takes them; the region is eu-central-1")


def test_credentials_are_held_against_the_configured_account():
    seen = check_credentials(configured(f"account={ACCOUNT}"), ACCOUNT)
    assert seen.level is Level.OK
    assert "for the configured account" in seen.sentence
    refused = check_credentials(configured(f"account={OTHER}"), ACCOUNT)
    assert refused.level is Level.FAILED
    assert "the credentials are for another account than the deployment" in refused.sentence
    assert not any(number in str(refused) for number in (ACCOUNT, OTHER))


def test_credentials_that_do_not_work_fail_with_the_sentence_about_them():
    seen = check_credentials(configured(), Unanswered("the AWS credentials have expired; log in"))
    assert seen.level is Level.FAILED
    assert seen.sentence == "the AWS credentials have expired; log in"


@pytest.mark.parametrize(
    ("version", "level", "words", "fix"),
    [
        (None, Level.FAILED, "not ready for the CDK in Frankfurt", "make bootstrap"),
        (BOOTSTRAP_VERSION - 1, Level.FAILED, f"version {BOOTSTRAP_VERSION - 1}", "make bootstrap"),
        (BOOTSTRAP_VERSION, Level.OK, f"version {BOOTSTRAP_VERSION}", ""),
        (BOOTSTRAP_VERSION + 9, Level.OK, f"{BOOTSTRAP_VERSION} is needed", ""),
        (DENIED, Level.WARNING, "not checked: AWS denies you x:Y", ""),
    ],
)
def test_the_cdk_has_to_have_been_there_in_a_version_that_is_new_enough(version, level, words, fix):
    seen = check_bootstrap(facts(bootstrap_version=version))
    assert (seen.level, seen.fix) == (level, fix)
    assert words in seen.sentence


@pytest.mark.parametrize(
    ("check", "fact", "role", "service"),
    [
        (check_spot_role, "has_spot_role", "AWSServiceRoleForEC2Spot", "spot.amazonaws.com"),
        (
            check_cleanup_role,
            "has_cleanup_role",
            "AWSServiceRoleForEMRCleanup",
            "elasticmapreduce.amazonaws.com",
        ),
    ],
)
def test_a_role_that_emr_will_make_is_no_failure_and_can_be_had_sooner(check, fact, role, service):
    there = check(facts(**{fact: True}))
    assert (there.level, there.sentence, there.fix) == (Level.OK, f"{role} is there", "")
    missing = check(facts(**{fact: False}))
    assert missing.level is Level.OK
    assert "EMR makes it with the first cluster" in missing.sentence
    assert missing.fix == f"aws iam create-service-linked-role --aws-service-name {service}"
    assert check(facts(**{fact: DENIED})).level is Level.WARNING


def test_without_an_address_nobody_is_told():
    seen = check_notices(configured(), facts())
    assert seen.level is Level.WARNING
    assert "nobody is told of failures, idle clusters or cost" in seen.sentence
    assert seen.fix == 'CDK_OPTIONS="-c alarm_email=you@example.org"'


@pytest.mark.parametrize(
    ("subscription", "level", "words"),
    [
        (Subscription.NO_STACK, Level.OK, "AWS will send an e-mail"),
        (Subscription.NOT_SUBSCRIBED, Level.OK, "AWS will send an e-mail"),
        (Subscription.PENDING, Level.WARNING, "confirm the e-mail that AWS sent"),
        (Subscription.CONFIRMED, Level.OK, "has confirmed"),
        (DENIED, Level.WARNING, "not checked: AWS denies you x:Y"),
    ],
)
def test_an_address_has_to_confirm_and_is_not_told(subscription, level, words):
    config = configured("alarm_email=someone@example.org")
    seen = check_notices(config, facts(subscription=subscription))
    assert seen.level is level
    assert words in seen.sentence
    assert "someone" not in str(seen)
