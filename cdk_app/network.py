"""The isolated network of the cluster: one subnet, and endpoints to S3, EMR and KMS."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from aws_cdk import RemovalPolicy, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from cdk_app.acknowledgments import acknowledge
from cdk_app.cluster.definition import EMR_TAG
from cdk_app.config import REGION, PipelineConfig
from cdk_app.endpoint_services import EMR_CELL_SERVICE, S3_PREFIX_LIST
from cdk_app.retention_days import CLOUDWATCH_NAMES, flow_log_days

_SESSION_MANAGER_SERVICES = {
    "Ssm": ec2.InterfaceVpcEndpointAwsService.SSM,
    "SsmMessages": ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES,
}
# Buckets of AWS that a node reads while it starts: packages of the system, and of EMR.
_EMR_READ_BUCKETS = (
    f"al2023-repos-{REGION}-de612dc2",
    f"repo.{REGION}.emr.amazonaws.com",
    f"aws157-instance-data-0-prod-{REGION}",
    f"aws157-instance-data-1-prod-{REGION}",
)
_EMR_LOG_BUCKET = f"aws157-logs-prod-{REGION}"


class Network(Construct):
    """VPC, endpoints, flow log and security groups; no Internet and no NAT gateway."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._cidr = config.vpc_cidr
        self._is_narrow = config.is_narrow
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(config.vpc_cidr),
            availability_zones=[config.availability_zone],
            nat_gateways=0,
            create_internet_gateway=False,
            # The default group stays as it is: closing it takes a function of its own, and nothing
            # here is in that group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Isolated",
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=int(config.vpc_cidr.partition("/")[2]),
                )
            ],
        )
        acknowledge(
            self.vpc,
            "CloudFormation-Validate::W3010",
            reason="one zone, so that nodes pay for no traffic between zones; it is a setting",
        )
        self.subnet = self.vpc.isolated_subnets[0]
        Tags.of(self.vpc).add(EMR_TAG, "true")
        self._log_flows(config, key)
        self.primary = self._security_group("Primary", "primary node of the EMR cluster")
        self.workers = self._security_group("Workers", "core and task nodes of the EMR cluster")
        self.endpoints = self._security_group("Endpoints", "interface endpoints of the VPC")
        self.s3_endpoint = self.vpc.add_gateway_endpoint(
            "S3", service=ec2.GatewayVpcEndpointAwsService.S3
        )
        self.interface_endpoints = [
            self._interface_endpoint(name, service)
            for name, service in _interface_services(config).items()
        ]
        self.rules = [*self._node_rules(), *self._endpoint_rules()]

    def allow_s3(self, *statements: iam.PolicyStatement) -> None:
        """Allow these statements and EMR's own in the S3 endpoint; all else is refused."""
        for statement in (*statements, *self._emr_statements()):
            anyone = statement.copy(principals=[iam.AnyPrincipal()])
            self.s3_endpoint.add_to_policy(anyone)

    def _log_flows(self, config: PipelineConfig, key: kms.IKey) -> None:
        group = logs.LogGroup(
            self,
            "FlowLogs",
            encryption_key=key,
            retention=logs.RetentionDays[CLOUDWATCH_NAMES[flow_log_days(config.kept)]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "Flows", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group)
        )

    def _security_group(self, name: str, description: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            name,
            vpc=self.vpc,
            description=f"Fruits!: {description}",
            allow_all_outbound=False,
        )
        Tags.of(group).add(EMR_TAG, "true")
        return group

    def _interface_endpoint(
        self, name: str, service: ec2.IInterfaceVpcEndpointService
    ) -> ec2.InterfaceVpcEndpoint:
        return self.vpc.add_interface_endpoint(
            name,
            service=service,
            subnets=ec2.SubnetSelection(subnets=[self.subnet]),
            security_groups=[self.endpoints],
            open=False,
            private_dns_enabled=True,
        )

    def _node_rules(self) -> Iterator[IConstruct]:
        """Declare every rule between nodes that EMR would otherwise add by itself.

        CloudFormation does not know rules that EMR adds: groups that refer to each other could then
        not be deleted.
        """
        nodes = {"Primary": self.primary, "Workers": self.workers}
        for (name, group), (peer_name, peer) in product(nodes.items(), nodes.items()):
            for protocol in ("tcp", "udp", "icmp"):
                ports = _ports(-1, -1) if protocol == "icmp" else _ports(0, 65535)
                yield ec2.CfnSecurityGroupIngress(
                    self,
                    f"{name}From{peer_name}{protocol.title()}",
                    group_id=group.security_group_id,
                    source_security_group_id=peer.security_group_id,
                    ip_protocol=protocol,
                    description=f"{protocol} from the {peer_name.lower()} node group",
                    **ports,
                )
                yield ec2.CfnSecurityGroupEgress(
                    self,
                    f"{peer_name}To{name}{protocol.title()}",
                    group_id=peer.security_group_id,
                    destination_security_group_id=group.security_group_id,
                    ip_protocol=protocol,
                    description=f"{protocol} to the {name.lower()} node group",
                    **ports,
                )

    def _endpoint_rules(self) -> Iterator[IConstruct]:
        yield ec2.CfnSecurityGroupIngress(
            self,
            "EndpointsFromVpc",
            group_id=self.endpoints.security_group_id,
            cidr_ip=self._cidr,
            ip_protocol="tcp",
            description="HTTPS from the VPC",
            **_ports(443, 443),
        )
        for name, group in {"Primary": self.primary, "Workers": self.workers}.items():
            yield ec2.CfnSecurityGroupEgress(
                self,
                f"{name}ToEndpoints",
                group_id=group.security_group_id,
                destination_security_group_id=self.endpoints.security_group_id,
                ip_protocol="tcp",
                description="HTTPS to the interface endpoints",
                **_ports(443, 443),
            )
            # All TCP: EMR Management Guide, "Working with Amazon EMR-managed security groups", the
            # outbound rules of private subnets. Only HTTPS is known to be used.
            yield ec2.CfnSecurityGroupEgress(
                self,
                f"{name}ToS3",
                group_id=group.security_group_id,
                destination_prefix_list_id=S3_PREFIX_LIST,
                ip_protocol="tcp",
                description="to S3 through the gateway endpoint, the only route out",
                **(_ports(443, 443) if self._is_narrow else _ports(0, 65535)),
            )

    def _emr_statements(self) -> list[iam.PolicyStatement]:
        """Return what EMR does in S3 itself while it starts and runs a cluster.

        The buckets and actions are those of the EMR Management Guide, "Minimum Amazon S3 policy for
        private subnet".
        """
        put = "s3:PutObject" if self._is_narrow else "s3:Put*"
        read = [f"arn:aws:s3:::{bucket}/*" for bucket in _EMR_READ_BUCKETS]
        return [
            iam.PolicyStatement(sid="ReadPackages", actions=["s3:GetObject"], resources=read),
            iam.PolicyStatement(
                sid="WriteEmrLogs", actions=[put], resources=[f"arn:aws:s3:::{_EMR_LOG_BUCKET}/*"]
            ),
        ]


def _interface_services(
    config: PipelineConfig,
) -> dict[str, ec2.IInterfaceVpcEndpointService]:
    return {
        "EmrCell": ec2.InterfaceVpcEndpointService(EMR_CELL_SERVICE, 443),
        "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
        **(_SESSION_MANAGER_SERVICES if config.session_manager else {}),
    }


def _ports(first: int, last: int) -> dict[str, Any]:  # of ints, among arguments of other types
    return {"from_port": first, "to_port": last}
