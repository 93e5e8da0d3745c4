"""The data stack: what stays when the cluster goes."""

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.storage import Storage


class DataStack(Stack):
    """Photographs, results and logs."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"fruits-{config.environment}-data",
            description="Fruits!: buckets for photographs, results and logs, and their key",
            env=Environment(account=config.account or None, region=config.region),
            # CloudFormation puts them on every resource: the bill can be split by them.
            tags=config.tags,
            termination_protection=config.is_kept,
        )
        self.storage = Storage(self, "Storage", config=config)
        outputs = {
            "RawBucketName": self.storage.raw.bucket_name,
            "ResultsBucketName": self.storage.results.bucket_name,
            "LogsBucketName": self.storage.logs.bucket_name,
            "ImagesUri": self.storage.images_uri,
            "OutputUri": self.storage.output_uri,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
