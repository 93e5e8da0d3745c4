"""The buckets for photographs, results, step logs and access logs, and the key."""

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.retention_days import EXPIRY_RULE, NOTEBOOK_DAYS, OLD_VERSIONS_RULE, QUERY_RESULT_DAYS

IMAGES_PREFIX = "images"
OUTPUT_PREFIX = "chain"
QUERY_RESULTS_PREFIX = "queries"
NOTEBOOKS_PREFIX = "notebooks"
EMR_LOGS_PREFIX = "emr"
EVENT_LOG_PREFIX = "spark-events"

# The services that send notices, beside the rules of EventBridge.
NOTICE_SERVICES = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")

# S3 bills an object in Standard-IA as 128 KiB at least: moving smaller ones costs money.
_MIN_TIERED_BYTES = 128 * 1024
_KEY_DELETION_DAYS = 7
# The next run finishes an interrupted commit from its staged files, within a week. No cluster
# lives longer, so a current run loses none either.
_STAGED_DAYS = 7


class Storage(Construct):
    """Four versioned, private, encrypted buckets: three with one key of the customer.

    The fourth takes the access logs of the others and has keys that S3 manages.  In ``test`` they
    go with their stack, once they are empty; in ``prod`` they and the key stay.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id)
        self._kept = config.kept
        # A failed first creation deletes its resources: they are empty, and the key is billed.
        self._removal = (
            RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.is_kept else RemovalPolicy.DESTROY
        )
        self.key = kms.Key(
            self,
            "Key",
            description="Fruits!: photographs, results, logs and the disks of the cluster",
            enable_key_rotation=True,
            pending_window=Duration.days(_KEY_DELETION_DAYS),
            removal_policy=self._removal,
        )
        self._grant_key_to_flow_logs()
        self._grant_key_to_notices()
        log_days = self._kept.logs
        self.access_logs = self._bucket("AccessLogs", expires_after_days=log_days)
        self.logs = self._bucket("Logs", logged=True, expires_after_days=log_days)
        self.raw = self._bucket(
            "Raw",
            logged=True,
            expires_after_days=self._kept.photographs or None,
            tier_after_days=self._kept.tier or None,
        )
        if config.start_on_marker:
            _enable_event_bridge(self.raw)
        self.results = self._bucket("Results", logged=True)
        self.results.add_lifecycle_rule(
            id="expire-staged-files",
            prefix=f"{OUTPUT_PREFIX}/_staging/",
            expiration=Duration.days(_STAGED_DAYS),
        )
        for id_, prefix, days in (
            ("expire-query-results", QUERY_RESULTS_PREFIX, QUERY_RESULT_DAYS),
            ("expire-notebooks", NOTEBOOKS_PREFIX, NOTEBOOK_DAYS),
        ):
            self.results.add_lifecycle_rule(
                id=id_,
                prefix=f"{prefix}/",
                expiration=Duration.days(days),
                # S3 takes the shorter of two: a version may name a photograph erased since.
                noncurrent_version_expiration=Duration.days(1),
            )

    @property
    def images_uri(self) -> str:
        return f"s3://{self.raw.bucket_name}/{IMAGES_PREFIX}"

    @property
    def output_uri(self) -> str:
        return f"s3://{self.results.bucket_name}/{OUTPUT_PREFIX}"

    @property
    def notebooks_uri(self) -> str:
        return f"s3://{self.results.bucket_name}/{NOTEBOOKS_PREFIX}"

    @property
    def emr_logs_uri(self) -> str:
        return f"s3://{self.logs.bucket_name}/{EMR_LOGS_PREFIX}/"

    @property
    def event_log_uri(self) -> str:
        return f"s3://{self.logs.bucket_name}/{EVENT_LOG_PREFIX}"

    def _bucket(
        self,
        name: str,
        *,
        logged: bool = False,
        expires_after_days: int | None = None,
        tier_after_days: int | None = None,
    ) -> s3.Bucket:
        """Return a bucket; where it is ``logged``, each access to it is.

        The bucket for access logs has no log: each log would be logged in turn, without end.  Nor
        has it the key: S3 delivers access logs only where the default encryption is SSE-S3
        (Amazon S3 User Guide, "Enabling Amazon S3 server access logging").
        """
        bucket = s3.Bucket(
            self,
            name,
            versioned=True,
            encryption=s3.BucketEncryption.KMS if logged else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key if logged else None,
            bucket_key_enabled=logged or None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs if logged else None,
            server_access_logs_prefix=f"{name.lower()}/" if logged else None,
            removal_policy=self._removal,
        )
        bucket.add_lifecycle_rule(
            id="abort-incomplete-uploads",
            abort_incomplete_multipart_upload_after=Duration.days(self._kept.unfinished_uploads),
        )
        bucket.add_lifecycle_rule(
            id=OLD_VERSIONS_RULE,
            noncurrent_version_expiration=Duration.days(self._kept.old_versions),
            expired_object_delete_marker=expires_after_days is None or None,
        )
        if expires_after_days is not None:
            bucket.add_lifecycle_rule(id=EXPIRY_RULE, expiration=Duration.days(expires_after_days))
        if tier_after_days is not None:
            bucket.add_lifecycle_rule(
                id="tier-large-objects",
                object_size_greater_than=_MIN_TIERED_BYTES,
                transitions=[
                    s3.Transition(
                        storage_class=s3.StorageClass.INFREQUENT_ACCESS,
                        transition_after=Duration.days(tier_after_days),
                    )
                ],
            )
            acknowledge(
                bucket,
                "CloudFormation-Validate::W9003",
                reason="the CDK writes the size as a number; CloudFormation makes text of it",
            )
        return bucket

    def _grant_key_to_flow_logs(self) -> None:
        stack = Stack.of(self)
        log_groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="FlowLogs",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            )
        )

    def _grant_key_to_notices(self) -> None:
        """Let the services that send notices publish to a topic that is encrypted with the key."""
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        # EventBridge does not send the account: with a condition, nothing would arrive.
        for sid, services, conditions in (
            ("Notices", NOTICE_SERVICES, account),
            ("Events", ("events.amazonaws.com",), None),
        ):
            self.key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(service) for service in services],
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    resources=["*"],
                    conditions=conditions,
                )
            )


def _enable_event_bridge(bucket: s3.Bucket) -> None:
    """Send the events of a bucket to EventBridge.

    By the property itself: the CDK's own switch adds a Lambda function and its role.
    """
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
            event_bridge_enabled=True
        )
    )
