"""The role under which photographs are erased: the only one that may delete their versions."""

from collections.abc import Iterator

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.roles.job_statements import start_job_runs
from cdk_app.roles.statements import allow, cluster_arn, describe_stack
from cdk_app.serverless.emr_application import Application
from cdk_app.storage import IMAGES_PREFIX, OUTPUT_PREFIX, Storage

_SESSION_HOURS = 4
# Not MFA: users of IAM Identity Center have shown it there, and cannot show it here.
_SESSION_PREFIX = "erasure-"
_ERASE = ("s3:GetObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")


class ErasureRole(Construct):
    """A role that people of the account assume to erase photographs, for hours.

    A session is named after its occasion, ``erasure-2026-11-27``, which access logs then show.

    It may read photographs and results, delete every version of them, and write results.  It may
    not lift an Object Lock, change a bucket or its lifecycle, or read a log.  A stack that computes
    adds the right to run the step of an erasure there.  A user needs ``sts:AssumeRole`` on it too:
    trust in the account admits nobody by itself.
    """

    def __init__(self, scope: Construct, construct_id: str, *, storage: Storage) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: erases photographs and what was made of them",
            assumed_by=iam.AccountPrincipal(Stack.of(self).account).with_conditions(
                {"StringLike": {"sts:RoleSessionName": f"{_SESSION_PREFIX}?*"}}
            ),
            max_session_duration=Duration.hours(_SESSION_HOURS),
        )
        write = (*_ERASE, "s3:PutObject", "s3:DeleteObject")
        use_key = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements = [
            describe_stack(self),
            *_erase("Photographs", storage.raw, IMAGES_PREFIX, _ERASE),
            *_erase("Results", storage.results, OUTPUT_PREFIX, write),
            allow("UseKey", use_key, [storage.key.key_arn]),
        ]
        iam.Policy(self, "Policy", roles=[self.role], statements=statements)
        prefixes = ((storage.raw, IMAGES_PREFIX), (storage.results, OUTPUT_PREFIX))
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            *(
                f"Resource::<{Stack.of(self).get_logical_id(_resource(bucket))}.Arn>/{prefix}/*"
                for bucket, prefix in prefixes
            ),
            reason="the objects under one prefix of a bucket of the project, whose names are data",
        )


class ErasureOnCluster(Construct):
    """The right of the erasure role to run its step on a cluster; deleted with the cluster.

    EMR has no right to add one step and not another.  The rights of a node on photographs and
    results are fewer than those of the role itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: iam.IRole,
        cluster_id: str,
        step: ssm.IStringParameter,
    ) -> None:
        super().__init__(scope, construct_id)
        run_and_follow = [
            "elasticmapreduce:AddJobFlowSteps",
            "elasticmapreduce:DescribeCluster",
            "elasticmapreduce:ListSteps",
        ]
        statements = [
            describe_stack(self),
            allow("ReadStep", ["ssm:GetParameter"], [step.parameter_arn]),
            allow("RunAndFollowStep", run_and_follow, [cluster_arn(self, cluster_id)]),
        ]
        iam.Policy(self, "Policy", roles=[role], statements=statements)


class ErasureOnServerless(Construct):
    """The right of the erasure role to run its job; deleted with the application.

    EMR Serverless has no right to run one script and not another.  The rights of a job on
    photographs and results are fewer than those of the role itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        role: iam.IRole,
        application: Application,
        job_role: iam.IRole,
        request: ssm.IStringParameter,
    ) -> None:
        super().__init__(scope, construct_id)
        statements = [
            describe_stack(self),
            allow("ReadRequest", ["ssm:GetParameter"], [request.parameter_arn]),
            *start_job_runs(self, config, application, job_role),
        ]
        iam.Policy(self, "Policy", roles=[role], statements=statements)


def _resource(bucket: s3.Bucket) -> s3.CfnBucket:
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    return resource


def _erase(
    what: str, bucket: s3.IBucket, prefix: str, actions: tuple[str, ...]
) -> Iterator[iam.PolicyStatement]:
    bucket_arn, below = [bucket.bucket_arn], {"StringLike": {"s3:prefix": f"{prefix}/*"}}
    yield allow(f"List{what}", ["s3:ListBucket", "s3:ListBucketVersions"], bucket_arn, below)
    # S3 has no condition on a prefix for it.
    yield allow(f"ListUnfinished{what}", ["s3:ListBucketMultipartUploads"], bucket_arn)
    yield allow(f"Erase{what}", actions, [bucket.arn_for_objects(f"{prefix}/*")])
