"""``python -m operations.preflight``: what it prints, and how it ends."""

import re

import pytest

from operations.preflight.__main__ import main
from operations.preflight.facts import Unanswered
from operations.preflight.outcomes import (
    Level,
    Outcome,
    closing_sentence,
    text_of,
    unanswered,
)

ACCOUNT = "123456789012"  # moto's
OF_ALL = ["credentials", "account plan", "budget", "CDK bootstrap", "stack"]
OF_A_CLUSTER = [
    "Spot role",
    "clean-up role",
    "quota on demand",
    "quota on Spot",
    "quota of VPCs",
    "instance types",
    "endpoints",
    "S3 addresses",
]
OF_SERVERLESS = ["Serverless role", "quota of vCPUs"]
AT_LAST = ["EMR release", "notices"]
CHECKS = [*OF_ALL, *OF_A_CLUSTER, *AT_LAST]


def levels(printed):
    """Return the level of each check, by its name."""
    found = re.findall(r"^  (ok|warning|failed) +(.{15}) \S", printed, flags=re.MULTILINE)
    return {name.strip(): level for level, name in found}


def test_an_account_that_is_ready_passes_with_a_line_for_each_check(ready_clients, capsys):
    assert main(["-c", "environment=test"], clients=ready_clients) == 0
    printed = capsys.readouterr()
    seen = levels(printed.out)
    assert list(seen) == CHECKS
    assert {name for name, level in seen.items() if level != "ok"} == {"notices"}
    assert printed.err == ""
    assert printed.out.startswith(
        "What the account has for make deploy in eu-central-1, environment test:\n\n"
    )


def test_without_task_nodes_nothing_is_said_of_spot(ready_clients, capsys):
    main(["-c", "n_task_nodes=0"], clients=ready_clients)
    assert set(CHECKS) - set(levels(capsys.readouterr().out)) == {"Spot role", "quota on Spot"}


def test_serverless_is_told_and_nothing_is_asked_for_that_only_a_cluster_needs(
    ready_clients, capsys
):
    ready_clients.stub("ec2")  # with no answer: any question would be an error of the test
    assert main(["--stack", "serverless"], clients=ready_clients) == 0
    printed = capsys.readouterr().out
    assert "for make deploy STACK=serverless in" in printed
    assert list(levels(printed)) == [*OF_ALL, *OF_SERVERLESS, *AT_LAST]


def test_one_failure_is_enough_and_is_said_last(ready_clients, capsys):
    ready_clients("ssm").delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert main([], clients=ready_clients) == 1
    printed = capsys.readouterr()
    assert levels(printed.out)["CDK bootstrap"] == "failed"
    assert printed.out.splitlines().count(f"{' ' * 27}make bootstrap") == 1
    assert printed.err == (
        "fruits: 1 check failed before anything was made (CDK bootstrap); do what stands there and "
        "give the same command\n"
    )


def test_a_right_that_is_denied_does_not_stop_the_deployment(ready_clients, capsys):
    ready_clients.stub("sns")
    ready_clients.stub("ssm").add_client_error(
        "get_parameter", "AccessDeniedException", "is not authorized to perform: ssm:GetParameter"
    )
    assert main([], clients=ready_clients) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "warning CDK bootstrap not checked: AWS denies you ssm:GetParameter" in printed


@pytest.mark.parametrize("word", ["environment=test", "account=111122223333"])
def test_without_credentials_that_fit_nothing_else_is_asked(clients, capsys, word):
    for service in ("ssm", "iam", "ec2", "sns", "service-quotas"):
        clients.stub(service)  # with no answer: any question would be an error of the test
    if word.startswith("environment"):
        clients.stub("sts").add_client_error("get_caller_identity", "ExpiredToken")
    assert main(["-c", word], clients=clients) == 1
    printed = capsys.readouterr()
    assert levels(printed.out) == {"credentials": "failed"}
    assert "1 check failed" in printed.err


def test_the_number_of_the_account_is_never_told(ready_clients, capsys):
    main(["-c", f"account={ACCOUNT}"], clients=ready_clients)
    printed = capsys.readouterr()
    assert levels(printed.out)["credentials"] == "ok"
    assert ACCOUNT not in printed.out + printed.err


def test_a_setting_that_is_not_allowed_is_refused_before_aws_is_asked(capsys):
    assert main(["-c", "n_core_nodes=0"], clients=None) == 1
    assert "fruits: the context key n_core_nodes is '0'" in capsys.readouterr().err


def test_another_stack_is_bad_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--stack", "data"], clients=None)
    assert caught.value.code == 2
    assert "compute" in capsys.readouterr().err


def test_an_account_that_aws_has_not_activated_stops_the_deployment(ready_clients, capsys):
    ready_clients.stub("freetier").add_client_error(
        "get_account_plan_state", "SubscriptionRequiredException", "needs a subscription"
    )
    assert main([], clients=ready_clients) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "failed account plan AWS has not yet activated the account" in printed


def test_a_check_that_could_not_be_made_is_a_warning():
    seen = unanswered("roles", Unanswered("AWS denies you iam:GetRole; ask for that right"))
    assert seen.level is Level.WARNING
    assert seen.sentence == "not checked: AWS denies you iam:GetRole; ask for that right"


def test_long_sentences_are_broken_and_commands_are_not():
    long = Outcome(Level.FAILED, "a check", "some words " * 20, "a command " * 20)
    *told, command = text_of("heading", [long]).splitlines()[2:]
    assert len(told) > 1
    assert max(map(len, told)) <= 100
    assert command.strip() == long.fix.strip()


def test_warnings_close_with_nothing():
    assert closing_sentence([Outcome(Level.WARNING, "a", "b"), Outcome(Level.OK, "c", "d")]) is None
    failed = [Outcome(Level.FAILED, name, "") for name in ("a", "b")]
    assert closing_sentence(failed).startswith("2 checks failed before anything was made (a, b)")
