"""The preflight's checks of the account: each outcome, with its sentence and its command."""

import pytest

from operations.preflight.account import (
    BOOTSTRAP_VERSION,
    check_bootstrap,
    check_budget,
    check_cleanup_role,
    check_credentials,
    check_notices,
    check_plan,
    check_serverless_role,
    check_spot_role,
    check_stack,
)
from operations.preflight.facts import Computing, StackState, Subscription, Toolkit, Unanswered
from operations.preflight.outcomes import Level
from tests.operations.preflight_facts import cluster_facts, configured, facts, serverless_facts

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


def test_the_free_plan_stops_a_cluster_and_warns_of_serverless():
    upgrade = "aws freetier upgrade-account-plan --region us-east-1 --account-plan-type PAID"
    cluster = check_plan(Computing.COMPUTE, facts(is_on_free_plan=True))
    assert (cluster.level, cluster.fix) == (Level.FAILED, upgrade)
    assert "starts no instance type that EMR takes" in cluster.sentence
    serverless = check_plan(Computing.SERVERLESS, facts(is_on_free_plan=True))
    assert (serverless.level, serverless.fix) == (Level.WARNING, upgrade)
    assert check_plan(Computing.COMPUTE, facts()).level is Level.OK
    assert check_plan(Computing.COMPUTE, facts(is_on_free_plan=DENIED)).level is Level.WARNING


@pytest.mark.parametrize(
    ("takes_budgets", "level", "fix"),
    [
        (True, Level.OK, ""),
        (False, Level.FAILED, 'CDK_OPTIONS="-c budget_usd_per_month=0"'),
        (DENIED, Level.WARNING, 'CDK_OPTIONS="-c budget_usd_per_month=0"'),
    ],
)
def test_a_budget_that_aws_refuses_can_be_left_out(takes_budgets, level, fix):
    seen = check_budget(configured(), facts(takes_budgets=takes_budgets))
    assert (seen.level, seen.fix) == (level, fix)
    without = check_budget(configured("budget_usd_per_month=0"), facts(takes_budgets=takes_budgets))
    assert (without.level, without.fix) == (Level.OK, "")


@pytest.mark.parametrize(
    ("status", "has_ended", "level", "words"),
    [
        ("CREATE_COMPLETE", False, Level.OK, "CREATE_COMPLETE"),
        ("REVIEW_IN_PROGRESS", False, Level.OK, "not there yet"),
        ("ROLLBACK_COMPLETE", False, Level.OK, "ROLLBACK_COMPLETE"),
        ("UPDATE_ROLLBACK_FAILED", False, Level.FAILED, "a deployment cannot mend"),
        ("DELETE_FAILED", False, Level.FAILED, "a deployment cannot mend"),
        ("CREATE_COMPLETE", True, Level.FAILED, "the cluster of the stack has ended"),
    ],
)
def test_a_stack_that_cannot_be_deployed_on_is_to_be_destroyed_first(
    status, has_ended, level, words
):
    config = configured("environment=prod")
    seen = check_stack(config, Computing.COMPUTE, StackState(status, has_ended))
    assert seen.level is level
    assert words in seen.sentence
    assert seen.fix == ("make destroy ENVIRONMENT=prod" if level is Level.FAILED else "")


def test_the_state_of_a_stack_is_told_with_its_own_command():
    failed = check_stack(configured(), Computing.SERVERLESS, StackState("DELETE_FAILED"))
    assert failed.fix == "make destroy STACK=serverless"
    changing = check_stack(configured(), Computing.COMPUTE, StackState("DELETE_IN_PROGRESS"))
    assert (changing.level, changing.fix) == (Level.FAILED, "")
    assert "DELETE_IN_PROGRESS" in changing.sentence
    assert check_stack(configured(), Computing.COMPUTE, None).level is Level.OK
    assert check_stack(configured(), Computing.COMPUTE, DENIED).level is Level.WARNING


def test_the_bucket_of_the_cdk_has_to_have_the_key_of_aws():
    seen = check_bootstrap(facts(toolkit=Toolkit("hnb659fds", "")))
    assert seen.level is Level.FAILED
    assert "customer key, which nodes and jobs may not use" in seen.sentence
    assert seen.fix == 'make bootstrap CDK_OPTIONS="--no-bootstrap-customer-key"'
    # Of another stack of that name: the templates' own has another one, which cannot be told.
    assert check_bootstrap(facts(toolkit=Toolkit("team", ""))).level is Level.OK
    assert check_bootstrap(facts(toolkit=None)).level is Level.OK
    assert check_bootstrap(facts(toolkit=DENIED)).level is Level.WARNING


def test_a_bootstrap_with_another_qualifier_gets_a_second_one_beside_it():
    seen = check_bootstrap(facts(bootstrap_version=None, toolkit=Toolkit("team", "")))
    assert seen.level is Level.FAILED
    assert "qualifier team, and the templates expect hnb659fds" in seen.sentence
    assert "--qualifier hnb659fds --toolkit-stack-name" in seen.fix


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
    there = check(cluster_facts(**{fact: True}))
    assert (there.level, there.sentence, there.fix) == (Level.OK, f"{role} is there", "")
    missing = check(cluster_facts(**{fact: False}))
    assert missing.level is Level.OK
    assert "EMR makes it with the first cluster" in missing.sentence
    assert missing.fix == f"aws iam create-service-linked-role --aws-service-name {service}"
    assert check(cluster_facts(**{fact: DENIED})).level is Level.WARNING


def test_the_role_of_serverless_comes_with_the_first_application():
    assert check_serverless_role(serverless_facts()).level is Level.OK
    missing = check_serverless_role(serverless_facts(has_role=False))
    assert missing.level is Level.OK
    assert "EMR makes it with the first application" in missing.sentence
    assert missing.fix.endswith("--aws-service-name ops.emr-serverless.amazonaws.com")


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
