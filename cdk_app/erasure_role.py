"""The role under which photographs are erased: the only one that may delete their versions."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.stack_statements import acknowledge_description, describe_stack
from cdk_app.storage import IMAGES_PREFIX, OUTPUT_PREFIX, Storage

_SESSION_HOURS = 4
# Not MFA: whoever comes from IAM Identity Center has shown it there, and could not show it here.
_SESSION_PREFIX = "erasure-"
_ERASE = ("s3:GetObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")


class ErasureRole(Construct):
    """A role that people of the account take on to erase photographs, for hours.

    A session is named after its occasion, ``erasure-2026-11-27``, which access logs then show.

    It may read photographs and results, delete every version of them, and write results.  It may
    not lift an Object Lock, change a bucket or its lifecycle, or read a log.  A stack with a
    cluster lets it run its step there.  Whoever takes it on needs ``sts:AssumeRole`` on it too:
    that a role trusts its account lets nobody in by itself.
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
        statements = [
            describe_stack(self),
            _listing("Photographs", storage.raw, IMAGES_PREFIX),
            _uploads("Photographs", storage.raw),
            _objects("Photographs", storage.raw, IMAGES_PREFIX, _ERASE),
            _listing("Results", storage.results, OUTPUT_PREFIX),
            _uploads("Results", storage.results),
            _objects(
                "Results",
                storage.results,
                OUTPUT_PREFIX,
                (*_ERASE, "s3:PutObject", "s3:DeleteObject"),
            ),
            iam.PolicyStatement(
                sid="UseKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[storage.key.key_arn],
            ),
        ]
        iam.Policy(self, "Policy", roles=[self.role], statements=statements)
        acknowledge_description(self)
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            *(
                f"Resource::<{Stack.of(self).get_logical_id(_resource(bucket))}.Arn>/{prefix}/*"
                for bucket, prefix in (
                    (storage.raw, IMAGES_PREFIX),
                    (storage.results, OUTPUT_PREFIX),
                )
            ),
            reason="the objects under one prefix of a bucket of the project, whose names are data",
        )


def _resource(bucket: s3.Bucket) -> s3.CfnBucket:
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    return resource


def _listing(what: str, bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=f"List{what}",
        actions=["s3:ListBucket", "s3:ListBucketVersions"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": f"{prefix}/*"}},
    )


def _uploads(what: str, bucket: s3.IBucket) -> iam.PolicyStatement:
    # S3 knows no condition on a prefix for it.
    return iam.PolicyStatement(
        sid=f"ListUnfinished{what}",
        actions=["s3:ListBucketMultipartUploads"],
        resources=[bucket.bucket_arn],
    )


def _objects(
    what: str, bucket: s3.IBucket, prefix: str, actions: Sequence[str]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=f"Erase{what}", actions=list(actions), resources=[bucket.arn_for_objects(f"{prefix}/*")]
    )
