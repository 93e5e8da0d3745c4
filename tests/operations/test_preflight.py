"""``fruits preflight``: its output and its exit code."""

import re

import pytest

from operations import cli
from operations.commands import preflight
from operations.preflight.finding import (
    Outcome,
    closing_sentence,
    failure,
    passed,
    preflight_text,
    warning,
)

ACCOUNT = "123456789012"  # moto's
COMMON = ["credentials", "account plan", "budget", "CDK bootstrap", "stack"]
CLUSTER = [
    "quota on demand",
    "quota on Spot",
    "quota of VPCs",
    "instance types",
    "types in EMR",
    "endpoints",
    "S3 addresses",
]
LAST = ["EMR release", "notices"]
CHECKS = [*COMMON, *CLUSTER, *LAST]


@pytest.fixture
def checked(monkeypatch):
    """Return a function that runs the command with other clients than those of AWS."""

    def run(clients, *words):
        monkeypatch.setattr(preflight, "aws_client", clients)
        return cli.main(["preflight", *words])

    return run


def levels(printed):
    """Return the level of each check, by its name."""
    found = re.findall(r"^  (ok|warning|failed) +(.{15}) \S", printed, flags=re.MULTILINE)
    return {name.strip(): level for level, name in found}


def test_an_account_that_is_ready_passes_with_a_line_for_each_check(checked, ready_clients, capsys):
    assert checked(ready_clients, "-c", f"account={ACCOUNT}") == 0
    printed = capsys.readouterr()
    found = levels(printed.out)
    assert list(found) == CHECKS
    assert {name for name, level in found.items() if level != "ok"} == {"notices"}
    assert printed.err == ""
    assert printed.out.startswith(
        "Checks for fruits deploy in eu-central-1, environment test:\n\n  ok       credentials"
    )
    assert ACCOUNT not in printed.out


def test_without_task_nodes_there_is_no_check_of_spot(checked, ready_clients, capsys):
    checked(ready_clients, "-c", "n_task_nodes=0")
    assert set(CHECKS) - set(levels(capsys.readouterr().out)) == {"quota on Spot"}


def test_for_serverless_nothing_is_read_that_only_a_cluster_needs(checked, ready_clients, capsys):
    ready_clients.stub("ec2")  # with no answer: a request would be an error of the test
    assert checked(ready_clients, "--stack", "serverless") == 0
    printed = capsys.readouterr().out
    assert "fruits deploy --stack serverless in" in printed
    assert list(levels(printed)) == [*COMMON, "quota of vCPUs", *LAST]


def test_without_a_budget_no_right_to_budgets_is_needed(checked, ready_clients, capsys):
    ready_clients.stub("budgets")
    assert checked(ready_clients, "-c", "budget_usd_per_month=0") == 0
    assert levels(capsys.readouterr().out)["budget"] == "ok"


def test_one_failure_is_enough_and_is_named_last(checked, ready_clients, capsys):
    ready_clients("ssm").delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert checked(ready_clients) == 1
    printed = capsys.readouterr()
    assert levels(printed.out)["CDK bootstrap"] == "failed"
    assert printed.out.splitlines().count(f"{' ' * 27}fruits bootstrap") == 1
    assert printed.err == (
        "fruits: 1 check failed before anything was made (CDK bootstrap); follow the advice above "
        "and give the same command\n"
    )


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("AccessDeniedException", 0, "warning account plan not checked: AWS denies you ssm:Get"),
        ("SubscriptionRequiredException", 1, "failed account plan AWS has not yet activated"),
    ],
)
def test_a_denied_read_is_a_warning_and_an_account_that_is_not_activated_a_failure(
    checked, code, exit_code, words, ready_clients, capsys
):
    ready_clients.stub("freetier").add_client_error(
        "get_account_plan_state", code, "is not authorized to perform: ssm:GetParameter"
    )
    assert checked(ready_clients) == exit_code
    assert words in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("word", ["environment=test", "account=111122223333"])
def test_without_credentials_that_fit_nothing_else_is_read(checked, clients, capsys, word):
    for service in ("ssm", "ec2", "sns", "service-quotas"):
        clients.stub(service)  # with no answer: a request would be an error of the test
    if word.startswith("environment"):
        clients.stub("sts").add_client_error("get_caller_identity", "ExpiredToken")
    assert checked(clients, "-c", word) == 1
    printed = capsys.readouterr()
    assert levels(printed.out) == {"credentials": "failed"}
    assert "111122223333" not in printed.out
    assert "1 check failed" in printed.err


def test_a_setting_that_is_not_allowed_is_refused_before_aws_is_read(checked, capsys):
    assert checked(None, "-c", "n_core_nodes=0") == 1
    assert "fruits: the context key n_core_nodes is '0'" in capsys.readouterr().err


def test_another_stack_is_bad_usage(checked):
    with pytest.raises(SystemExit) as caught:
        checked(None, "--stack", "data")
    assert caught.value.code == 2


def test_long_sentences_are_broken_and_commands_are_not():
    long = Outcome("a check", failure("some words " * 20, "a command " * 20))
    *sentence, command = preflight_text("heading", [long]).splitlines()[2:]
    assert len(sentence) > 1
    assert max(map(len, sentence)) <= 100
    assert command.strip() == long.finding.fix.strip()


def test_warnings_close_with_nothing():
    outcomes = [Outcome("a", warning("b")), Outcome("c", passed("d"))]
    assert closing_sentence(outcomes) is None
    failed = [Outcome(name, failure("")) for name in ("a", "b")]
    assert closing_sentence(failed).startswith("2 checks failed before anything was made (a, b)")
