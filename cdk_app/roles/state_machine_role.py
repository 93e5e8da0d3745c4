"""The rights of the state machine: run the jobs of its application, and send notices."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.roles.job_statements import start_job_runs
from cdk_app.roles.statements import allow
from cdk_app.serverless.emr_application import Application
from cdk_app.storage import Storage

# The rule by which Step Functions follows a job run. Step Functions creates it.
_EVENT_RULE = "StepFunctionsGetEventsForEMRServerlessJobRule"
_DELIVER_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_TRACE = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class StateMachineRole(Construct):
    """The role of the state machine.  It can pass the role of the jobs, and no other."""

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
            description="Fruits!: the state machine runs the jobs and sends notices",
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
        follow = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
        cancel = ["emr-serverless:CancelJobRun"]
        use_key = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements = [
            *start_job_runs(self, config, application, job_role),
            allow("CancelJobRuns", cancel, [application.job_run_arns]),
            allow("ManageCompletionRule", follow, [rule_arn]),
            allow("Notify", ["sns:Publish"], [topic.topic_arn]),
            allow("EncryptNotices", use_key, [storage.key.key_arn]),
            allow("DeliverLogs", _DELIVER_LOGS, ["*"]),
            allow("Trace", _TRACE, ["*"]),
        ]
        self.policy = iam.Policy(self, "Policy", roles=[self.role], statements=statements)
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="X-Ray and log delivery have no narrower resource",
        )
