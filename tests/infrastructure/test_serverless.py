"""The serverless stack: free between runs, and rights for its own job runs and no others."""

import argparse
import json

import pytest
from botocore.session import get_session
from botocore.validate import validate_parameters

from spark_assets.jobs import erase
from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ACCOUNT

TAGS = {"project": "fruits", "environment": "test"}
TO_SERVERLESS = {"iam:PassedToService": "emr-serverless.amazonaws.com"}
# None of them is billed for being there, but for the logs that are in a group.
FREE_AT_REST = {
    "AWS::EMRServerless::Application",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
    "AWS::StepFunctions::StateMachine",
}


@pytest.fixture(scope="module")
def application(made):
    return made.serverless.only("AWS::EMRServerless::Application")


@pytest.fixture(scope="module")
def application_arn(made):
    (name,) = made.serverless.resources("AWS::EMRServerless::Application")
    return f"arn:aws:emr-serverless:eu-central-1:{ACCOUNT}:/applications/{name}"


@pytest.fixture(scope="module")
def job_role_arn(made):
    return made.serverless.outputs()["JobRoleArn"]


def role_named(stack, beginning):
    (name,) = (name for name in stack.resources("AWS::IAM::Role") if name.startswith(beginning))
    return name


def statements_of(stack, beginning):
    """Return the statements of the policies whose construct begins so, with the role's or not."""
    return [
        statement
        for name, policy in stack.resources("AWS::IAM::Policy").items()
        if name.startswith(beginning)
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def trust(stack, role):
    return stack.resources("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]


def requested(tags):
    return {f"aws:RequestTag/{key}": value for key, value in tags.items()}


def job_parameters(made):
    machine = made.serverless.only("AWS::StepFunctions::StateMachine")
    states = json.loads(machine["DefinitionString"])["States"].values()
    return {
        state["Parameters"]["Name"]: state["Parameters"]
        for state in states
        if state.get("Resource", "").endswith("emr-serverless:startJobRun.sync")
    }


def as_api_takes_them(parameters):
    """Return parameters of Step Functions as the API writes them; a client token stands for one."""
    request = {
        key[0].lower() + key[1:]: as_api_takes_them(value)
        if isinstance(value, dict) and key != "Tags"
        else value
        for key, value in parameters.items()
        if not key.endswith(".$")
    }
    return request | {"clientToken": "a" * 64} if "ClientToken.$" in parameters else request


def check_request(request):
    operation = get_session().get_service_model("emr-serverless").operation_model("StartJobRun")
    validate_parameters(request, operation.input_shape)


def test_nothing_is_billed_between_runs(either, changed):
    for stack in (either.serverless, changed.serverless):
        assert {each["Type"] for each in stack.template["Resources"].values()} <= FREE_AT_REST
        application = stack.only("AWS::EMRServerless::Application")
        assert "InitialCapacity" not in application
        stopping = application["AutoStopConfiguration"]
        assert stopping["Enabled"] is True
        assert 5 <= stopping["IdleTimeoutMinutes"] <= 15


def test_one_job_runs_at_a_time_and_within_the_configured_maximum(changed):
    application = changed.serverless.only("AWS::EMRServerless::Application")
    assert application["MaximumCapacity"] == {"Cpu": "6 vCPU", "Memory": "24 GB", "Disk": "60 GB"}
    assert application["SchedulerConfiguration"]["MaxConcurrentRuns"] == 1


def test_its_workers_are_in_a_network_of_aws(application):
    assert "NetworkConfiguration" not in application


def test_logs_go_to_the_log_bucket_with_the_key_and_aws_keeps_none(made, application):
    monitoring = application["MonitoringConfiguration"]
    logs = made.data.outputs()["LogsBucketName"]
    assert monitoring["S3MonitoringConfiguration"] == {
        "LogUri": f"s3://{logs}/emr/",
        "EncryptionKeyArn": made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]}),
    }
    assert made.serverless.outputs()["LogUri"] == f"s3://{logs}/emr/"
    assert monitoring["ManagedPersistenceMonitoringConfiguration"] == {"Enabled": False}


@pytest.mark.parametrize(("name", "architecture"), [("made", "arm64"), ("changed", "x86_64")])
def test_workers_and_libraries_are_of_one_architecture(request, artifacts, name, architecture):
    made = request.getfixturevalue(name)
    application = made.serverless.only("AWS::EMRServerless::Application")
    assert application["Architecture"] == architecture.upper()
    expected = artifacts / "wheelhouse" / architecture / "libraries.tgz"
    for job in job_parameters(made).values():
        options = job["JobDriver"]["SparkSubmit"]["SparkSubmitParameters"].split()
        (archives,) = (o for o in options if o.startswith("spark.archives="))
        uri, _, folder = archives.removeprefix("spark.archives=").partition("#")
        # By the end of the name Spark knows what to unpack.
        assert uri.endswith(".tgz")
        assert folder == "libraries"
        assert made.asset(uri, "FruitsServerless").read_bytes() == expected.read_bytes()


def test_a_job_is_run_with_the_arguments_of_its_step(made):
    steps = json.loads(made.compute.parameter("Steps")["Value"])
    jobs = job_parameters(made)
    assert list(jobs) == [step["name"] for step in steps]
    for step in steps:
        submit = jobs[step["name"]]["JobDriver"]["SparkSubmit"]
        package = step["arguments"].index("--py-files") + 1
        assert submit["SparkSubmitParameters"].split()[:2] == step["arguments"][package - 1 :][:2]
        assert [submit["EntryPoint"], *submit["EntryPointArguments"]] == step["arguments"][
            package + 1 :
        ]


def test_every_request_is_one_that_the_api_takes(made, either, application_arn, job_role_arn):
    for parameters in job_parameters(either).values():
        check_request(as_api_takes_them(parameters))
    outputs = made.serverless.outputs()
    parameter = made.serverless.parameter("ErasureJob")
    assert parameter["Name"] == outputs["ErasureJobParameterName"] == "/fruits/test/erasure-job"
    assert len(parameter["Value"]) <= 4096
    request = json.loads(parameter["Value"])
    check_request(request | {"clientToken": "a"})
    assert request["name"] == "erase"
    assert request["tags"] == TAGS
    for asked in (request, as_api_takes_them(job_parameters(made)["reduce"])):
        assert asked["applicationId"] == application_arn.rpartition("/")[2]
        assert asked["executionRoleArn"] == job_role_arn


def test_the_job_of_an_erasure_is_one_that_its_script_takes(made):
    submit = json.loads(made.serverless.parameter("ErasureJob")["Value"])["jobDriver"]
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    erase.COMMAND.add_options(parser)
    parsed = parser.parse_args(submit["sparkSubmit"]["entryPointArguments"])
    assert parsed.rewrite_only


# What differs: the assets of each, the event log, which EMR Serverless writes by itself, and
# notebooks and sessions, which a cluster alone has.
OF_ONE_OF_THEM = {
    "ReadAssets", "ListEventLog", "WriteEventLog", "ExecuteNotebooks", "SessionManager",
}  # fmt: skip


def in_common(statements):
    return [statement for statement in statements if statement["Sid"] not in OF_ONE_OF_THEM]


def test_a_job_may_do_what_a_node_may_and_no_more(changed):
    node = changed.compute.policy_of(role_named(changed.compute, "InstanceRole"))
    job = changed.serverless.policy_of(role_named(changed.serverless, "JobRole"))
    assert in_common(job) == in_common(node)
    assert {each["Sid"] for each in job} & OF_ONE_OF_THEM == {"ReadAssets"}


def test_a_job_reads_what_it_is_given_and_nothing_else_of_the_assets(made):
    job = made.serverless.policy_of(role_named(made.serverless, "JobRole"))
    (assets,) = (listed(each["Resource"]) for each in job if each["Sid"] == "ReadAssets")
    text = json.dumps([made.serverless.parameter("ErasureJob"), job_parameters(made)])
    for arn in assets:
        assert f"s3://{arn.partition(':::')[2]}" in text
    assert len(assets) == 7


def test_only_job_runs_of_the_application_take_on_their_role(made, application_arn):
    statements = trust(made.serverless, role_named(made.serverless, "JobRole"))
    for source, account, allowed in (
        (application_arn, ACCOUNT, True),
        (f"{application_arn}/jobruns/1", ACCOUNT, True),
        (f"{application_arn}2", ACCOUNT, False),
        (application_arn, "999999999999", False),
    ):
        context = {"aws:SourceArn": source, "aws:SourceAccount": account}
        principal = "emr-serverless.amazonaws.com"
        assert allows(statements, "sts:AssumeRole", principal=principal, **context) is allowed


@pytest.mark.parametrize("beginning", ["MachineRole", "ErasureOnServerless"])
def test_who_starts_job_runs_starts_them_here_with_their_tags_and_as_their_role(
    made, application_arn, job_role_arn, beginning
):
    statements = statements_of(made.serverless, beginning)
    others = application_arn.replace("Application", "other")
    for arn, allowed in ((application_arn, True), (others, False)):
        assert allows(statements, "emr-serverless:StartJobRun", arn) is allowed
        assert allows(statements, "emr-serverless:GetJobRun", f"{arn}/jobruns/1") is allowed
        for tagged in (arn, f"{arn}/jobruns/1"):
            tag = "emr-serverless:TagResource"
            assert allows(statements, tag, tagged, **requested(TAGS)) is allowed
            assert not allows(statements, tag, tagged, **requested(TAGS | {"environment": "prod"}))
            assert not allows(statements, tag, tagged)
    assert allows(statements, "iam:PassRole", job_role_arn, **TO_SERVERLESS)
    assert not allows(statements, "iam:PassRole", job_role_arn)
    to_ec2 = {"iam:PassedToService": "ec2.amazonaws.com"}
    assert not allows(statements, "iam:PassRole", job_role_arn, **to_ec2)
    administrator = f"arn:aws:iam::{ACCOUNT}:role/Administrator"
    assert not allows(statements, "iam:PassRole", administrator, **TO_SERVERLESS)


def test_the_machine_ends_its_job_runs_and_tells(made, application_arn):
    role = role_named(made.serverless, "MachineRole")
    statements = made.serverless.policy_of(role)
    assert allows(statements, "emr-serverless:CancelJobRun", f"{application_arn}/jobruns/1")
    topic = made.data.outputs()["NoticesTopicArn"]
    assert allows(statements, "sns:Publish", topic)
    assert not allows(statements, "sns:Publish", f"{topic}-2")
    rule = f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/"
    for name, allowed in (("StepFunctionsGetEventsForEMRServerlessJobRule", True), ("x", False)):
        assert allows(statements, "events:PutRule", f"{rule}{name}") is allowed
    assert not [a for s in statements for a in listed(s["Action"]) if "*" in a]
    assert not {"ManagedPolicyArns", "Policies"} & made.serverless.of(role)["Properties"].keys()


def test_only_the_state_machine_takes_on_its_role(made):
    own = made.serverless.outputs()["StateMachineArn"]
    assert own == f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:fruits-test-serverless"
    statements = trust(made.serverless, role_named(made.serverless, "MachineRole"))
    for source, allowed in ((own, True), (f"{own}-2", False)):
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
        principal = "states.amazonaws.com"
        assert allows(statements, "sts:AssumeRole", principal=principal, **context) is allowed


def test_the_role_of_an_erasure_finds_its_request_and_ends_no_job_run(made, application_arn):
    (policy,) = (
        policy
        for name, policy in made.serverless.resources("AWS::IAM::Policy").items()
        if name.startswith("ErasureOnServerless")
    )
    statements = policy["PolicyDocument"]["Statement"]
    parameter = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/fruits/test/erasure-job"
    assert allows(statements, "ssm:GetParameter", parameter)
    assert not allows(statements, "ssm:GetParameter", f"{parameter}-2")
    stack = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/fruits-test-serverless/1"
    assert allows(statements, "cloudformation:DescribeStacks", stack)
    assert not allows(statements, "emr-serverless:CancelJobRun", f"{application_arn}/jobruns/1")
    erasing = made.data.outputs()["ErasureRoleArn"].rpartition("/")[2]
    assert policy["Roles"] == [erasing]


def test_the_log_of_runs_is_encrypted_expires_and_holds_no_data(made):
    log = made.serverless.only("AWS::Logs::LogGroup")
    assert log["KmsKeyId"] == made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    assert log["RetentionInDays"] == 30
    machine = made.serverless.only("AWS::StepFunctions::StateMachine")
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_stacks_that_compute_know_nothing_of_each_other(made):
    for name in ("FruitsServerless", "FruitsCompute"):
        dependencies = made.manifest["artifacts"][name]["dependencies"]
        assert set(dependencies) == {"FruitsData", f"{name}.assets"}
    assert "libraries" not in json.dumps(made.compute.template)


def test_nothing_starts_a_run_by_itself_unless_it_is_asked_for(made):
    assert made.serverless.resources("AWS::Events::Rule") == {}
    raw = made.data.resources("AWS::S3::Bucket")["StorageRaw7E344C76"]
    assert "NotificationConfiguration" not in raw


def test_a_schedule_starts_runs_by_the_clock(changed):
    stack = changed.serverless
    rules = stack.resources("AWS::Events::Rule").values()
    (rule,) = (rule for rule in rules if "EventPattern" not in rule)
    assert rule["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    (target,) = rule["Targets"]
    assert target["Arn"] == stack.outputs()["StateMachineArn"]


def test_a_marker_beside_the_photographs_starts_a_run(changed):
    made = changed
    rules = made.serverless.resources("AWS::Events::Rule").values()
    (pattern,) = (rule["EventPattern"] for rule in rules if "EventPattern" in rule)
    assert pattern["detail"] == {
        "bucket": {"name": [made.data.outputs()["RawBucketName"]]},
        "object": {"key": ["start/run"]},
    }
    assert not made.data.outputs()["ImagesUri"].endswith("/start")
    raw = made.data.resources("AWS::S3::Bucket")["StorageRaw7E344C76"]
    assert raw["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_whatever_starts_a_run_can_do_nothing_else(changed):
    stack = changed.serverless
    (statement,) = stack.policy_of(role_named(stack, "Triggers"))
    assert listed(statement["Action"]) == ["states:StartExecution"]
    assert statement["Resource"] == stack.outputs()["StateMachineArn"]
