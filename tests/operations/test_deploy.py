"""``fruits deploy`` and ``fruits destroy``: what they do, in which order, and where they stop."""

import botocore.exceptions
import pytest

from operations import cli
from operations.commands import bootstrap, deploy, destroy, diff, synth
from spark_assets.errors import ExitCode, FruitsError

NOTEBOOK = "docs/tutorial/walkthrough.ipynb"
DEPLOY = "cdk deploy --exclusively --method=direct --require-approval never"
DESTROY = "cdk destroy --exclusively --force"
TEST, PROD = "-c environment=test", "-c environment=prod"


class Steps:
    """Stands in for the steps of both commands.  ``calls`` are theirs, in their order."""

    def __init__(self, monkeypatch):
        self.calls = []
        self.failing = ""
        self._monkeypatch = monkeypatch
        for module in (bootstrap, deploy, destroy, diff, synth):
            for name in (
                *("build_artifacts", "preflight", "local_folder", "upload", "submit_steps"),
                *("submit_notebook", "follow_newest_steps", "revoke_foreign_rules"),
                *("stop_serverless", "_check_nothing_computes", "empty", "check_cdk", "run_cdk"),
            ):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, self._record(name))

    def _record(self, name):
        def step(*arguments, **options):
            if name == "run_cdk":
                call = " ".join(["cdk", *arguments])
            else:
                words = [str(each) for each in arguments if isinstance(each, str)]
                flags = [key for key, value in options.items() if value is True]
                call = " ".join([name.strip("_"), *words, *flags])
            if name not in ("check_cdk", "local_folder"):
                self.calls.append(call)
            if self.failing and self.failing in call:
                raise FruitsError("this went wrong")
            return ExitCode.DONE

        return step


@pytest.fixture
def steps(monkeypatch):
    return Steps(monkeypatch)


def test_deploy_plans_and_checks_before_it_makes_anything_in_aws(steps, capsys):
    assert cli.main(["deploy"]) == 0
    assert steps.calls == [
        "build_artifacts",
        "preflight compute",
        f"{DEPLOY} FruitsData {TEST}",
        f"{DEPLOY} FruitsCompute {TEST}",
        "submit_steps follow",
    ]
    printed = capsys.readouterr()
    assert printed.out.index("fruits deploy creates") < printed.out.index("delete the cluster")
    assert "no photographs uploaded" in printed.err


def test_steps_of_the_stack_are_followed(steps):
    assert cli.main(["deploy", "-c", "steps=run"]) == 0
    assert steps.calls[-1] == "follow_newest_steps"


def test_a_notebook_is_executed_after_the_steps(steps):
    assert cli.main(["deploy", "--notebook", NOTEBOOK]) == 0
    assert steps.calls[-2:] == ["submit_steps follow", f"submit_notebook {NOTEBOOK} follow"]


def test_deploy_makes_an_application_and_uploads_between_the_stacks(steps):
    words = ["--stack", "serverless", "--images", "my photographs", "--environment", "prod"]
    assert cli.main(["deploy", *words]) == 0
    assert steps.calls == [
        "build_artifacts",
        "preflight serverless",
        f"{DEPLOY} FruitsData {PROD}",
        "upload my photographs prod",
        f"{DEPLOY} FruitsServerless {PROD}",
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--notebook", "nowhere.ipynb"],
            "there is no notebook 'nowhere.ipynb'; give a file (.ipynb)",
        ),
        (
            ["--notebook", NOTEBOOK, "--stack", "serverless"],
            "--notebook needs a cluster; leave --stack out",
        ),
        (["-c", "n_core_nodes=0"], "the context key n_core_nodes is '0', which is not allowed"),
        (["serverless"], "'serverless' is not an option; give options of cdk after --"),
    ],
)
def test_what_cannot_be_deployed_is_refused_before_anything_is_made(steps, words, sentence, capsys):
    assert cli.main(["deploy", *words]) == 1
    assert f"fruits: {sentence}" in capsys.readouterr().err
    assert steps.calls == []


@pytest.mark.parametrize(
    ("failing", "n_calls"),
    [
        ("build_artifacts", 1),
        ("preflight", 2),
        ("FruitsData", 3),
        ("upload", 4),
        ("FruitsCompute", 5),
        ("submit_steps", 6),
        ("", 7),
    ],
)
def test_deploy_stops_where_something_fails(steps, failing, n_calls):
    steps.failing = failing
    words = ["--images", "photographs", "--notebook", NOTEBOOK]
    assert cli.main(["deploy", *words]) == (1 if failing else 0)
    assert len(steps.calls) == n_calls


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["-c", "steps=none", "-c", "n_task_nodes=0"], "-c steps=none -c n_task_nodes=0"),
        (["--", "--output", "out", "-c", "n_task_nodes=0"], "--output out -c n_task_nodes=0"),
    ],
)
def test_the_cdk_and_the_plan_get_the_same_options(steps, words, options, capsys):
    assert cli.main(["deploy", *words]) == 0
    assert steps.calls[2] == f"{DEPLOY} FruitsData {TEST} {options}"
    assert "0 task nodes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        ([], ["revoke_foreign_rules fruits-test-compute", f"{DESTROY} FruitsCompute {TEST}"]),
        (
            ["--stack", "serverless", "--environment", "prod"],
            ["stop_serverless prod", f"{DESTROY} FruitsServerless {PROD}"],
        ),
        (
            ["--stack", "serverless", "--stop"],
            ["stop_serverless test stop", f"{DESTROY} FruitsServerless {TEST}"],
        ),
        (
            ["--stack", "data"],
            ["check_nothing_computes", "empty test", f"{DESTROY} FruitsData {TEST}"],
        ),
        (
            ["--stack", "data", "--yes"],
            ["check_nothing_computes", "empty test is_confirmed", f"{DESTROY} FruitsData {TEST}"],
        ),
    ],
)
def test_destroy_makes_way_and_deletes_the_stack(steps, words, calls, capsys):
    assert cli.main(["destroy", *words]) == 0
    assert steps.calls == calls
    assert capsys.readouterr().out.startswith("fruits destroy")


@pytest.mark.parametrize(
    ("stack", "failing"),
    [("serverless", "stop_serverless"), ("data", "nothing_computes"), ("data", "empty")],
)
def test_nothing_is_deleted_where_a_step_before_refuses(steps, stack, failing):
    steps.failing = failing
    assert cli.main(["destroy", "--stack", stack, "--yes"]) == 1
    assert failing in steps.calls[-1]


@pytest.mark.parametrize("words", [["deploy", "--stack", "data"], ["destroy", "--stack", "all"]])
def test_another_stack_is_bad_usage(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "serverless" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (
            "synth",
            [
                "build_artifacts",
                *(
                    f"cdk synth {stack} --exclusively {TEST}"
                    for stack in ("FruitsData", "FruitsCompute", "FruitsServerless")
                ),
            ],
        ),
        ("diff", ["build_artifacts", f"cdk diff {TEST}"]),
        ("bootstrap", [f"cdk bootstrap {TEST}"]),
    ],
)
def test_commands_of_the_cdk(steps, command, calls):
    assert cli.main([command]) == 0
    assert steps.calls == calls


def test_an_interruption_names_the_way_on(steps, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "run_cdk", interrupted)
    assert cli.main(["deploy"]) == 130
    assert "interrupted; what has begun in AWS goes on" in capsys.readouterr().err


class CloudFormation:
    """Answers a request for a stack: with it, that there is none, or with another failure."""

    def __init__(self, found):
        self.found = found

    def describe_stacks(self, *, StackName):  # noqa: N803 - the name that boto3 gives it
        if isinstance(self.found, Exception):
            raise self.found
        if StackName != self.found:
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackName": StackName}]}


def client_error(code, message):
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": message}}, "DescribeStacks"
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("fruits-test-compute", "compute uses the buckets, so nothing was deleted"),
        ("fruits-test-serverless", "destroy it first with: fruits destroy --stack serverless"),
        (client_error("ExpiredToken", "The token has expired"), "credentials have expired"),
        (botocore.exceptions.NoCredentialsError(), "no AWS credentials were found"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"),
            "AWS could not be reached",
        ),
    ],
)
def test_nothing_is_emptied_unless_no_stack_is_known_to_use_it(found, words, monkeypatch, capsys):
    monkeypatch.setattr(destroy, "check_cdk", lambda: None)
    monkeypatch.setattr(destroy, "aws_client", lambda _: CloudFormation(found))
    monkeypatch.delattr(destroy, "empty")
    assert cli.main(["destroy", "--stack", "data", "--yes"]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_of_prod_no_stack_is_looked_for(monkeypatch, capsys):
    monkeypatch.setattr(destroy, "check_cdk", lambda: None)
    monkeypatch.delattr(destroy, "aws_client")
    assert cli.main(["destroy", "--stack", "data", "--yes", "--environment", "prod"]) == 1
    assert "the buckets of prod are kept" in capsys.readouterr().err
