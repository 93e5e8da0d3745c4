"""The data stack: it outlives the cluster."""

from aws_cdk import CfnOutput
from constructs import Construct

from cdk_app.athena_tables import AthenaTables
from cdk_app.config import PipelineConfig
from cdk_app.monitoring.monthly_budget import MonthlyBudget
from cdk_app.monitoring.notices import Notices
from cdk_app.project_stack import ProjectStack
from cdk_app.roles.erasure_role import ErasureRole
from cdk_app.storage import Storage


class DataStack(ProjectStack):
    """Photographs, results and logs; the tables of the results, notices and the budget."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(
            scope,
            construct_id,
            config=config,
            part="data",
            description="buckets for photographs, results and logs, their key, notices and budget",
            termination_protection=config.is_kept,
        )
        self.storage = Storage(self, "Storage", config=config)
        self.erasure_role = ErasureRole(self, "ErasureRole", storage=self.storage)
        AthenaTables(self, "Query", config=config, storage=self.storage)
        self.notices = Notices(self, "Notices", config=config, key=self.storage.key)
        MonthlyBudget(self, "MonthlyBudget", config=config, notices=self.notices)
        outputs = {
            "ErasureRoleArn": self.erasure_role.role.role_arn,
            "RawBucketName": self.storage.raw.bucket_name,
            "ResultsBucketName": self.storage.results.bucket_name,
            "LogsBucketName": self.storage.logs.bucket_name,
            "AccessLogsBucketName": self.storage.access_logs.bucket_name,
            "ImagesUri": self.storage.images_uri,
            "OutputUri": self.storage.output_uri,
            "NoticesTopicArn": self.notices.topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
