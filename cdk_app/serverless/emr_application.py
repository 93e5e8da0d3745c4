"""The application of EMR Serverless, which has workers only while a job runs."""

from aws_cdk import CfnTag
from aws_cdk import aws_emrserverless as emrserverless
from constructs import Construct

from cdk_app.cluster.definition import RELEASE_LABEL
from cdk_app.config import PipelineConfig
from cdk_app.serverless.worker_sizes import plan_workers, serverless_defaults
from cdk_app.storage import Storage

_IDLE_MINUTES = 5
# What EMR Serverless allows a job to wait for another.
_MAX_QUEUE_MINUTES = 720


def queue_minutes(config: PipelineConfig) -> int:
    """Return how long a job waits for others: as long as a run may take."""
    return min(config.run_timeout_hours * 60, _MAX_QUEUE_MINUTES)


class Application(Construct):
    """A Spark application that starts with a job, stops by itself and runs one job at a time.

    It keeps no worker ready, so that nothing is billed between runs.  Logs of jobs go to the log
    bucket, with its key and its retention; AWS's own copy is off, because a log can name a
    photograph.  The disks of workers are encrypted with a key of the service: CloudFormation has
    no property for another.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id)
        workers = plan_workers(config.serverless_max_vcpus)
        of_application = emrserverless.CfnApplication
        self.application = of_application(
            self,
            "Application",
            name=f"fruits-{config.environment}",
            type="SPARK",
            release_label=RELEASE_LABEL,
            architecture=config.architecture.upper(),
            auto_start_configuration=of_application.AutoStartConfigurationProperty(enabled=True),
            auto_stop_configuration=of_application.AutoStopConfigurationProperty(
                enabled=True, idle_timeout_minutes=_IDLE_MINUTES
            ),
            maximum_capacity=of_application.MaximumAllowedResourcesProperty(
                **workers.maximum_capacity
            ),
            scheduler_configuration=of_application.SchedulerConfigurationProperty(
                max_concurrent_runs=1, queue_timeout_minutes=queue_minutes(config)
            ),
            runtime_configuration=[
                of_application.ConfigurationObjectProperty(
                    classification="spark-defaults", properties=serverless_defaults(workers)
                )
            ],
            monitoring_configuration=of_application.MonitoringConfigurationProperty(
                s3_monitoring_configuration=of_application.S3MonitoringConfigurationProperty(
                    log_uri=storage.emr_logs_uri, encryption_key_arn=storage.key.key_arn
                ),
                managed_persistence_monitoring_configuration=(
                    of_application.ManagedPersistenceMonitoringConfigurationProperty(enabled=False)
                ),
            ),
            tags=[CfnTag(key=key, value=value) for key, value in config.tags.items()],
        )

    @property
    def application_id(self) -> str:
        return self.application.attr_application_id

    @property
    def arn(self) -> str:
        return self.application.attr_arn

    @property
    def job_run_arns(self) -> str:
        """The ARN of each of its job runs, which have no names before they start."""
        return f"{self.arn}/jobruns/*"
