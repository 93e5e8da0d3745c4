"""What is said when cdk fails, and that what it prints itself stays as it is."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from operations.cdk.cdk_errors import sentence_for
from operations.cdk.run_cdk import run_cdk
from spark_assets.errors import FruitsError

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
# What the CDK says before each failure of a deployment.
PROCEEDING = (
    f"current credentials could not be used to assume 'arn:aws:iam::{ACCOUNT}:role/cdk-x', but are "
    "for the right account. Proceeding anyway.\n"
)
ROLLED_BACK = (
    "The stack named fruits-test-compute failed creation, it may need to be manually deleted from "
    "the AWS console: ROLLBACK_COMPLETE"
)
NOT_DELETED = (
    "The stack named fruits-test-data is in a failed state. You may need to delete it from the AWS "
    "console : DELETE_FAILED (The following resource(s) failed to delete: [StorageRaw]. )"
)


def updates_failed(resource, reason):
    return (
        f"{PROCEEDING}fruits-test-compute |   0 | 6:18:39 PM | CREATE_FAILED | {resource} "
        f"| Name {reason}\n❌  fruits-test-compute failed to deploy\n"
        f"‣ DeploymentError: Resource updates failed:\n{ROLLED_BACK}\n"
    )


# Printed by the CDK itself: from the start without credentials and from answers of AWS.
CREDENTIALS = {
    "Unable to resolve AWS account to use. It must be either configured when you define your CDK "
    "Stack, or through the environment": "no valid AWS credentials were found",
    "Assuming role failed: ExpiredToken\n‣ ExpiredToken: The security token included in the "
    "request is expired": "the AWS credentials have expired; log in again",
    "❌  fruits-test-data failed to deploy\n‣ InvalidClientTokenId: The security token included in "
    "the request is invalid.": "AWS does not know these credentials",
    "Could not assume role in target account using current credentials (which are for account "
    f"{ACCOUNT}) User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: sts:AssumeRole "
    "on resource: arn:aws:iam::111111111111:role/cdk-hnb659fds-deploy-role . Please make sure that "
    "this role exists in the account. If it doesn't exist, (re)-bootstrap the environment with the "
    "right '--trust', using the latest version of the CDK CLI.": "the credentials are for another "
    "account",
    f"Need to perform AWS calls for account {ACCOUNT}, but the current credentials are for "
    "111111111111": "the credentials are for another account",
    "fruits-test-data: SSM parameter /cdk-bootstrap/hnb659fds/version not found in "
    f"aws://{ACCOUNT}/eu-central-1. Has the environment been bootstrapped? Please run 'cdk "
    "bootstrap' (see the guide)": "once, with: fruits bootstrap",
    f"{PROCEEDING}‣ AccessDenied: User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to "
    "perform: cloudformation:DescribeStacks on resource: arn:aws:cloudformation:x": "AWS denies "
    "cloudformation:DescribeStacks; ask for that right",
    "getaddrinfo ENOTFOUND cloudformation.eu-central-1.amazonaws.com": "AWS could not be reached",
    "connect ECONNREFUSED 127.0.0.1:9": "AWS could not be reached",
    "‣ Throttling: Rate exceeded": "AWS asks for fewer requests",
    "Signature expired: 20260101T000000Z is now earlier than 20260101T000100Z": "set the clock",
}
RESOURCES = {
    updates_failed(
        "AWS::S3::Bucket", "fruits-raw already exists (Service: S3, Status Code: 0)"
    ): "a bucket of that name exists already",
    updates_failed(
        "AWS::S3::Bucket",
        'Resource handler returned message: "The requested bucket name is not available. (Service: '
        'S3, Status Code: 409)" (RequestToken: a-b, HandlerErrorCode: AlreadyExists)',
    ): "a bucket of that name exists already",
    updates_failed(
        "AWS::SSM::Parameter", "/fruits/test/steps already exists in stack arn:aws:cloudformation:x"
    ): "something of that name exists already",
    updates_failed(
        "AWS::EC2::VPC",
        "The maximum number of VPCs has been reached. (HandlerErrorCode: ServiceLimitExceeded)",
    ): "a quota of the AWS account is used up",
    # Broken into lines by the CDK.
    updates_failed(
        "AWS::EMR::Cluster",
        "EC2 has returned an error while launching: You have requested more vCPU capacity than your"
        " current vCPU\n  limit of 8 allows for the instance bucket",
    ): "a quota of the AWS account is used up",
    updates_failed(
        "AWS::EMR::Cluster", "The VPC limit: VpcLimitExceeded"
    ): "a quota of the AWS account is used up",
    updates_failed(
        "AWS::EMR::Cluster", "MaxSpotInstanceCountExceeded: Max spot instance count exceeded"
    ): "a quota of the AWS account is used up",
    "❌  fruits-test-data failed to deploy\n‣ LimitExceededException: Limit for stack has been "
    "exceeded": "a quota of the AWS account is used up",
    updates_failed(
        "AWS::EMR::Cluster",
        "We currently do not have sufficient m7g.xlarge capacity in the Availability Zone you "
        "requested (InsufficientInstanceCapacity)",
    ): "such as with -c availability_zone=",
    updates_failed(
        "AWS::IAM::Role",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/x is not authorized to perform: iam:CreateRole "
        "on resource: x",
    ): "AWS denies iam:CreateRole",
    updates_failed(
        "AWS::EMR::Cluster", "On the master instance, application provisioning / bootstrap action 1"
    ): "the bootstrap action of the nodes failed",
    updates_failed(
        "AWS::EMR::Cluster", "The specified instance type is not eligible for Free Tier."
    ): "aws freetier upgrade-account-plan",
    updates_failed(
        "AWS::EMR::Cluster", "PendingVerification: Your request is being validated"
    ): "AWS has not yet activated the account",
    updates_failed(
        "AWS::Budgets::Budget",
        f"Account {ACCOUNT} is a linked account. To enable budgets for your account, ask the payer "
        "account to enable budgets first. (Service: Budgets; Error Code: AccessDeniedException)",
    ): "with -c budget_usd_per_month=0",
    updates_failed("AWS::EMR::Cluster", "whatever"): "CloudFormation rolled the deployment back",
    f"‣ DeploymentError: {ROLLED_BACK}": "CloudFormation rolled the deployment back",
    "Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.": "is "
    "being changed already",
    "fruits-test-compute: UPDATE_ROLLBACK_FAILED (x)": "give 'fruits destroy' and deploy again",
}
DESTRUCTION = {
    "fruits-test-data | DELETE_FAILED | AWS::S3::Bucket | StorageRaw Resource handler returned "
    'message: "The bucket you tried to delete is not empty. You must delete all versions in the '
    f'bucket. (Service: S3, Status Code: 409)"\n{NOT_DELETED}': "fruits destroy --stack data",
    "fruits-test-compute | DELETE_FAILED | AWS::EC2::SecurityGroup | Primary Resource handler "
    f'returned message: "resource sg-0123 has a dependent object"\n{NOT_DELETED}': "still uses the "
    "network",
    "DeploymentError: The vpc vpc-0123 has dependencies and cannot be deleted.": "still uses the "
    "network",
    "Failed to destroy fruits-test-data: CREATE_COMPLETE (Delete canceled. Cannot delete export "
    "fruits-test-data:ExportsOutputRef as it is in use by fruits-test-compute.)": "destroy it "
    "first, with: fruits destroy",
    "Stack [fruits-prod-data] cannot be deleted while TerminationProtection is enabled": "the "
    "prod stack has termination protection",
    NOT_DELETED: "could not delete the resources named above",
}
OURS = {
    "Traceback\n.venv/bin/python app.py: Subprocess exited with error 1": "synthesis of the "
    "templates failed",
    "nothing that anybody knows": "the CDK failed, for the reason above",
    "": "the CDK failed, for the reason above",
}


@pytest.mark.parametrize(
    ("output", "words"), [*{**CREDENTIALS, **RESOURCES, **DESTRUCTION, **OURS}.items()]
)
def test_each_failure_has_its_sentence(output, words):
    sentence = sentence_for(output)
    assert words in sentence
    assert "\n" not in sentence
    assert not re.search(r"\d{12}|[{}]|\.$", sentence)


@pytest.mark.parametrize(
    "output",
    [
        "fruits: the context key n_core_nodes is '0', which is not allowed\n.venv/bin/python "
        "app.py: Subprocess exited with error 1",
        "ERROR there is no network in nowhere (model.json missing); build it with: fruits "
        "build-artifacts (Construct Annotations)\nSynthesis finished with errors",
    ],
)
def test_what_the_app_says_itself_is_not_said_again(output):
    assert sentence_for(output) is None


def test_colours_do_not_hide_a_failure():
    assert "destroy it first" in sentence_for("\x1b[31mas it is\x1b[39m in use by \x1b[1mx\x1b[22m")


def test_a_command_is_named_with_the_environment_of_the_stack():
    in_use = "Cannot delete export fruits-prod-data:x as it is in use by fruits-prod-compute"
    assert sentence_for(in_use).endswith("fruits destroy --environment prod")
    assert sentence_for(in_use.replace("prod", "test")).endswith("fruits destroy")


@pytest.fixture
def cdk(starts_processes, tmp_path):
    """Return a function that writes a script in place of cdk."""

    def write(*lines):
        script = tmp_path / "cdk"
        script.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        script.chmod(0o755)
        return script

    return write


def test_all_that_is_printed_is_passed_on_and_nothing_is_added(cdk, capfd):
    script = cdk("echo template", "printf 'no newline' >&2", 'printf " %s" "$@" >&2')
    assert run_cdk("deploy", "-c", "a=b c", cdk=script) == 0
    assert capfd.readouterr() == ("template\n", "no newline deploy -c a=b c")


@pytest.mark.parametrize("end", ["exit 7", "kill -TERM $$"])
def test_a_failure_gets_one_sentence(cdk, capfd, end):
    script = cdk("echo 'Rate exceeded' >&2", end)
    with pytest.raises(FruitsError, match=r"^AWS asks for fewer requests at a time; wait a minute"):
        run_cdk("deploy", cdk=script)
    assert capfd.readouterr().err == "Rate exceeded\n"


def test_a_failure_that_the_app_explains_gets_none(cdk):
    assert run_cdk("deploy", cdk=cdk("echo 'fruits: no' >&2", "exit 1")) == 1


def test_a_success_with_words_of_failure_is_a_success(cdk, capfd):
    assert run_cdk("deploy", cdk=cdk("echo 'Rate exceeded' >&2")) == 0
    assert capfd.readouterr().err == "Rate exceeded\n"


def test_text_that_is_not_utf8_is_passed_on(cdk, capfdbinary):
    assert run_cdk(cdk=cdk(r"printf '\377' >&2")) == 0
    assert capfdbinary.readouterr().err == b"\xff"


def test_it_runs_in_the_repository_with_the_node_of_the_virtual_environment(
    cdk, capfd, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    run_cdk(cdk=cdk('echo "$PATH"', "pwd"))
    path, folder = capfd.readouterr().out.splitlines()
    assert path.startswith(f"{Path(sys.executable).parent}:")
    assert Path(folder) == ROOT


def test_a_cdk_that_is_not_installed_is_refused(tmp_path):
    with pytest.raises(FruitsError, match="the CDK is not installed; install it with: make tools"):
        run_cdk(cdk=tmp_path / "cdk")


def test_interrupted_it_waits_for_the_last_words(cdk):
    script = cdk("echo ready >&2", "read line", "echo goodbye >&2", "exit 1")
    program = (
        "import sys; from pathlib import Path; from operations.cdk.run_cdk import run_cdk\n"
        "try: run_cdk('deploy', cdk=Path(sys.argv[1]))\n"
        "except KeyboardInterrupt: sys.exit(130)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as runner:
        assert runner.stderr.readline() == "ready\n"
        runner.send_signal(signal.SIGINT)
        _, printed = runner.communicate("\n", timeout=60)
    assert (runner.returncode, printed) == (130, "goodbye\n")
