"""What the state machine may do: run its own cluster in its own network, and tell of it."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.cluster.definition import EMR_TAG, RUN_TAG
from cdk_app.config import PipelineConfig
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from cdk_app.network import Network

# The rule by which Step Functions hears of the end of a step; it makes it itself.
_EVENT_RULE = "StepFunctionsGetEventForEMRAddJobFlowStepsRule"
_CLEANUP_ROLE = "aws-service-role/elasticmapreduce.amazonaws.com/AWSServiceRoleForEMRCleanup"


class RunRole(Construct):
    """The role of the state machine.  It can pass on the two roles of a cluster, and no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        machine_arn: str,
        network: Network,
        service_role: iam.Role,
        instance_role: iam.Role,
        topic: sns.ITopic,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: the state machine makes a cluster, runs the steps and ends it",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": machine_arn},
                },
            ),
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            statements=[
                *self._cluster_statements(),
                *self._endpoint_statements(network),
                _pass("PassTheServiceRole", service_role, "elasticmapreduce.amazonaws.com"),
                _pass("PassTheInstanceRole", instance_role, "ec2.amazonaws.com"),
                _statement("SeeOtherRuns", ["states:ListExecutions"], [machine_arn]),
                _statement("Tell", ["sns:Publish"], [topic.topic_arn]),
                _statement(
                    "EncryptWhatIsTold", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]
                ),
                *_logging_statements(),
            ],
        )
        self._acknowledge()

    def _cluster_statements(self) -> list[iam.PolicyStatement]:
        clusters = [self._arn("elasticmapreduce", "cluster/*")]
        of_a_run = self._of_a_run("elasticmapreduce:ResourceTag")
        asked = self._of_a_run("aws:RequestTag")
        return [
            # EMR names a resource without region and account where it asks for the right to tag.
            _statement(
                "MakeTheCluster",
                ["elasticmapreduce:RunJobFlow", "elasticmapreduce:AddTags"],
                ["*"],
                {
                    **asked,
                    "StringEquals": {**asked["StringEquals"], f"aws:RequestTag/{EMR_TAG}": "true"},
                },
            ),
            # EMR asks for it where a new cluster has an idle policy, and has no tags to show then:
            # those who have EMR's tag, among them the standing cluster, are left out.
            _statement(
                "LetTheClusterEndWhenIdle",
                ["elasticmapreduce:PutAutoTerminationPolicy"],
                clusters,
                {"Null": {f"elasticmapreduce:ResourceTag/{EMR_TAG}": "true"}},
            ),
            _statement(
                "LetTheClusterOfTheRunEndWhenIdle",
                ["elasticmapreduce:PutAutoTerminationPolicy"],
                clusters,
                of_a_run,
            ),
            _statement(
                "RunAndEndTheCluster",
                [
                    "elasticmapreduce:AddJobFlowSteps",
                    "elasticmapreduce:CancelSteps",
                    "elasticmapreduce:DescribeCluster",
                    "elasticmapreduce:DescribeStep",
                    "elasticmapreduce:TerminateJobFlows",
                ],
                clusters,
                of_a_run,
            ),
            # EMR offers no narrower resource.
            _statement(
                "FindTheCluster",
                ["elasticmapreduce:ListClusters"],
                ["*"],
                {"StringEquals": {"aws:RequestedRegion": Stack.of(self).region}},
            ),
            # The first cluster of an account makes it; EMR cleans up with it.
            _statement(
                "MakeTheCleanupRole",
                ["iam:CreateServiceLinkedRole"],
                [self._arn("iam", f"role/{_CLEANUP_ROLE}", region="")],
                {"StringEquals": {"iam:AWSServiceName": "elasticmapreduce.amazonaws.com"}},
            ),
            _statement(
                "HearOfTheEnd",
                ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                [self._arn("events", f"rule/{_EVENT_RULE}")],
            ),
        ]

    def _endpoint_statements(self, network: Network) -> list[iam.PolicyStatement]:
        endpoints = [self._arn("ec2", "vpc-endpoint/*")]
        vpc = self._arn("ec2", f"vpc/{network.vpc.vpc_id}")
        tagging = self._of_a_run("aws:RequestTag")
        return [
            _statement(
                "MakeEndpointsHere",
                ["ec2:CreateVpcEndpoint"],
                [
                    vpc,
                    self._arn("ec2", f"subnet/{network.subnet.subnet_id}"),
                    self._arn("ec2", f"security-group/{network.endpoints.security_group_id}"),
                ],
            ),
            _statement(
                "MakeEndpointsToEmrAndTheKey",
                ["ec2:CreateVpcEndpoint"],
                endpoints,
                {
                    **tagging,
                    "StringEquals": {
                        **tagging["StringEquals"],
                        "ec2:VpceServiceName": [EMR_CELL_SERVICE, KMS_SERVICE],
                    },
                },
            ),
            _statement(
                "TagEndpoints",
                ["ec2:CreateTags"],
                endpoints,
                {"StringEquals": {"ec2:CreateAction": "CreateVpcEndpoint"}},
            ),
            _statement(
                "DeleteEndpoints",
                ["ec2:DeleteVpcEndpoints"],
                endpoints,
                self._of_a_run("aws:ResourceTag"),
            ),
            # EC2 offers no narrower resource.
            _statement(
                "LookAtEndpoints",
                ["ec2:DescribeVpcEndpoints"],
                ["*"],
                {"StringEquals": {"aws:RequestedRegion": Stack.of(self).region}},
            ),
            # For the private names of the endpoints; their zone is not one of this account.
            _statement(
                "NameEndpoints",
                ["route53:AssociateVPCWithHostedZone"],
                ["*"],
                {"StringEquals": {"aws:RequestedRegion": [Stack.of(self).region, "us-east-1"]}},
            ),
        ]

    def _of_a_run(self, key: str) -> dict[str, dict[str, str]]:
        """Return the conditions on what a run makes: the tags of the project, and that of any run.

        The standing cluster and its endpoints carry the first and not the second.
        """
        project = {f"{key}/{tag}": value for tag, value in self._config.tags.items()}
        return {"StringEquals": project, "StringLike": {f"{key}/{RUN_TAG}": "?*"}}

    def _arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        return Stack.of(self).format_arn(
            service=service,
            resource=resource,
            region=region,
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )

    def _acknowledge(self) -> None:
        stack = Stack.of(self)
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            *(
                f"Resource::arn:<AWS::Partition>:{service}:{stack.region}:{account}:{noun}/*"
                for service, noun in (("elasticmapreduce", "cluster"), ("ec2", "vpc-endpoint"))
            ),
            reason="what a run makes has no name before it; tags of the project confine the rest",
        )
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="making and listing clusters, describing endpoints, zones of AWS, X-Ray and log "
            "delivery have no narrower resource",
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
            ["*"],
        ),
        _statement(
            "Trace",
            [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            ["*"],
        ),
    ]


def _pass(sid: str, role: iam.Role, service: str) -> iam.PolicyStatement:
    return _statement(
        sid,
        ["iam:PassRole"],
        [role.role_arn],
        {"StringEquals": {"iam:PassedToService": service}},
    )


def _statement(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
    )
