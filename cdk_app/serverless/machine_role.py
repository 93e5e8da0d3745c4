"""What the state machine may do: run the jobs of its application, and tell of it."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.serverless.application import Application
from cdk_app.serverless.starting import acknowledge_job_runs, starting_statements
from cdk_app.storage import Storage

# The rule by which Step Functions hears of the end of a job run; it makes it itself.
_EVENT_RULE = "StepFunctionsGetEventsForEMRServerlessJobRule"


class MachineRole(Construct):
    """The role of the state machine.  It can pass on the role of the jobs, and no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        machine_arn: str,
        application: Application,
        job_role: iam.IRole,
        topic: sns.ITopic,
        storage: Storage,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: the state machine runs the jobs and tells of it",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": machine_arn},
                },
            ),
        )
        rule_arn = stack.format_arn(
            service="events",
            resource="rule",
            resource_name=_EVENT_RULE,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            statements=[
                *starting_statements(config, application, job_role),
                _statement(
                    "CancelJobRuns", ["emr-serverless:CancelJobRun"], application.job_run_arns
                ),
                _statement(
                    "ManageCompletionRule",
                    ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                    rule_arn,
                ),
                _statement("Notify", ["sns:Publish"], topic.topic_arn),
                _statement(
                    "EncryptNotices",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    storage.key.key_arn,
                ),
                *_logging_statements(),
            ],
        )
        acknowledge_job_runs(self, application)
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="X-Ray and log delivery have no narrower resource",
        )


def _logging_statements() -> list[iam.PolicyStatement]:
    return [
        _statement(
            "DeliverLogs",
            [
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ],
            "*",
        ),
        _statement(
            "Trace",
            [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            "*",
        ),
    ]


def _statement(sid: str, actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=[resource])
