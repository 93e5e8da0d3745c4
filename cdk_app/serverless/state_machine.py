"""The state machine of a run on EMR Serverless, and its log.

    Featurize -> Reduce -> Report -> Notify success
            any error -> Notify failure -> Failed

No state reads the input of an execution.
"""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.retention_days import CLOUDWATCH_NAMES, flow_log_days
from cdk_app.serverless.emr_application import queue_minutes
from cdk_app.serverless.job_requests import JobRequests
from cdk_app.step_commands import Job

_START_JOB_RUN = "arn:aws:states:::emr-serverless:startJobRun.sync"
# The service's own trouble with a request, and an application that is just stopping.  A job that
# failed is not tried again: the refusals of featurize are for a person to look at, and Spark has by
# then replaced each lost task itself.
_TROUBLE = [
    "EMRServerless.ConflictException",
    "EMRServerless.InternalServerException",
    "EMRServerless.ThrottlingException",
]
# The variable of an execution that the notice of a failure names.
_FAILED_IN = "failed_in"


class RunStateMachine(Construct):
    """Run the jobs one after the other and send a notice; no cost between runs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        config: PipelineConfig,
        role: iam.Role,
        requests: JobRequests,
        jobs: Sequence[Job],
        report_uri: str,
        topic: sns.ITopic,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        log_group = logs.LogGroup(
            self,
            "Log",
            # Under another prefix, each log group takes its share of a policy of limited length.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            encryption_key=key,
            retention=logs.RetentionDays[CLOUDWATCH_NAMES[flow_log_days(config.kept)]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        failed = self._notify("Notify failure", _failure_message(config), self._failed())
        first, *others = [self._run(job, requests, failed) for job in jobs]
        succeeded = self._notify(
            "Notify success",
            f"A run of Fruits! is complete. Its report: {report_uri}",
            sfn.Succeed(self, "Done"),
        )
        chain = sfn.Chain.start(first)
        for state in (*others, succeeded):
            chain = chain.next(state)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(chain),
            # The rights that tasks add by themselves are wider than a run needs.
            role=role.without_policy_updates(),
            timeout=_longest(config, len(jobs)),
            tracing_enabled=True,
            # The data of an execution hold messages of jobs: names, maybe of people.
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )

    def _run(self, job: Job, requests: JobRequests, failed: sfn.IChainable) -> sfn.CustomState:
        """Run a job to its end; its error becomes the data of the execution."""
        state = sfn.CustomState(
            self,
            job.name.title(),
            state_json={
                "Type": "Task",
                "Resource": _START_JOB_RUN,
                "Parameters": requests.parameters(job),
            },
        )
        state.add_retry(
            errors=_TROUBLE, interval=Duration.seconds(30), max_attempts=4, backoff_rate=2
        )
        state.add_catch(failed, assign={_FAILED_IN: sfn.JsonPath.string_at("$$.State.Name")})
        return state

    def _failed(self) -> sfn.Fail:
        # Whole: the cause of a time-out has no text of its own.
        return sfn.Fail(
            self,
            "Failed",
            error="RunFailed",
            cause_path=f"States.JsonToString({sfn.JsonPath.entire_payload})",
        )

    def _notify(self, name: str, message: str, then: sfn.Succeed | sfn.Fail) -> tasks.SnsPublish:
        publish = tasks.SnsPublish(
            self,
            name,
            topic=self._topic,
            subject=f"Fruits!: {name.removeprefix('Notify ')} of a run",
            message=sfn.TaskInput.from_text(message),
            result_path=sfn.JsonPath.DISCARD,
        )
        publish.add_retry(
            errors=["States.TaskFailed"], interval=Duration.seconds(10), backoff_rate=2
        )
        # A notice that is not sent does not change the outcome of the run.
        publish.add_catch(then, result_path=sfn.JsonPath.DISCARD)
        publish.next(then)
        return publish


def _failure_message(config: PipelineConfig) -> str:
    """Return the notice of a failure: its state, its run and a command.

    The reason that AWS gives is not in it: it can name a photograph, and this is an e-mail.
    """
    option = f" --environment {config.environment}" if config.is_kept else ""
    return sfn.JsonPath.format(
        "A run of Fruits! failed in the state {}. Run: {}. "
        f"Look at the reason with: fruits status --serverless{option}",
        sfn.JsonPath.string_at(f"${_FAILED_IN}"),
        sfn.JsonPath.string_at("$$.Execution.Name"),
    )


def _longest(config: PipelineConfig, n_jobs: int) -> Duration:
    """Return the time-out of an execution: above the time-outs of its jobs and their queueing."""
    return Duration.minutes(config.run_timeout_hours * 60 + n_jobs * queue_minutes(config) + 60)
