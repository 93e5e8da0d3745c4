"""Where the cluster of a stack lies, put together from the constructs of that stack."""

from aws_cdk import aws_emr as emr

from cdk_app.cluster.definition import Placement
from cdk_app.instance_role import InstanceRole
from cdk_app.network import Network
from cdk_app.service_role import ServiceRole
from cdk_app.storage import Storage


def placement(
    network: Network,
    storage: Storage,
    instance_role: InstanceRole,
    service_role: ServiceRole,
    security: emr.CfnSecurityConfiguration,
) -> Placement:
    """Return the subnet, the groups, the roles and the log folder of the constructs."""
    return Placement(
        subnet_id=network.subnet.subnet_id,
        primary_group_id=network.primary.security_group_id,
        workers_group_id=network.workers.security_group_id,
        endpoints_group_id=network.endpoints.security_group_id,
        instance_profile=instance_role.profile.ref,
        service_role=service_role.role.role_arn,
        security_configuration=security.ref,
        log_uri=storage.emr_logs_uri,
    )
