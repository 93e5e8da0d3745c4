"""The serverless stack: runs without a cluster; nothing is billed between runs."""

from aws_cdk import ArnFormat, CfnOutput
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk_app.artifacts import ServerlessArtifacts
from cdk_app.config import PipelineConfig
from cdk_app.project_stack import ProjectStack
from cdk_app.roles.erasure_role import ErasureOnServerless
from cdk_app.roles.job_role import JobRole
from cdk_app.roles.state_machine_role import StateMachineRole
from cdk_app.serverless.emr_application import Application
from cdk_app.serverless.job_requests import JobRequests
from cdk_app.serverless.state_machine import RunStateMachine
from cdk_app.serverless.triggers import Triggers
from cdk_app.step_commands import StepInputs, erasure_job, pipeline_jobs
from cdk_app.storage import Storage


class ServerlessStack(ProjectStack):
    """An application of EMR Serverless, a state machine that runs the jobs, and its triggers.

    The application is not attached to a VPC: its workers are in a network of AWS in Frankfurt, from
    which they reach services of this region and nothing else.  Attached to one of ours, they would
    need interface endpoints, which cost about 17 USD a month, with runs or without.  There is no
    flow log; who reads which object is in the access logs of the buckets.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        storage: Storage,
        erasure_role: iam.IRole,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            config=config,
            part="serverless",
            description="runs the jobs on EMR Serverless; nothing is billed between runs",
        )
        artifacts = ServerlessArtifacts(self, "Artifacts", config=config)
        application = Application(self, "Application", config=config, storage=storage)
        job_role = JobRole(
            self, "JobRole", application=application, storage=storage, artifacts=artifacts
        )
        inputs = StepInputs.deployed(config, storage, artifacts)
        requests = JobRequests(
            config=config,
            application_id=application.application_id,
            job_role_arn=job_role.role.role_arn,
            package_uri=artifacts.package.s3_object_url,
            libraries_uri=artifacts.libraries.s3_object_url,
        )
        # A name of ours: the role names the machine, which cannot be made before its role.
        name = f"fruits-{config.environment}-serverless"
        machine_role = StateMachineRole(
            self,
            "MachineRole",
            config=config,
            machine_arn=self.format_arn(
                service="states",
                resource="stateMachine",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            application=application,
            job_role=job_role.role,
            topic=topic,
            storage=storage,
        )
        run = RunStateMachine(
            self,
            "Run",
            name=name,
            config=config,
            role=machine_role.role,
            requests=requests,
            jobs=pipeline_jobs(inputs),
            report_uri=f"{storage.output_uri}/report/index.html",
            topic=topic,
            key=storage.key,
        )
        run.machine.node.add_dependency(machine_role.policy, job_role.policy)
        Triggers(self, "Triggers", config=config, machine=run.machine, raw=storage.raw)
        erasure = ssm.StringParameter(
            self,
            "ErasureJob",
            parameter_name=f"/fruits/{config.environment}/erasure-job",
            description="Fruits!: the request of the job run that fruits erase starts",
            string_value=self.to_json_string(requests.request(erasure_job(inputs))),
        )
        ErasureOnServerless(
            self,
            "ErasureOnServerless",
            config=config,
            role=erasure_role,
            application=application,
            job_role=job_role.role,
            request=erasure,
        )
        outputs = {
            "ApplicationId": application.application_id,
            "StateMachineArn": run.machine.state_machine_arn,
            "JobRoleArn": job_role.role.role_arn,
            "ErasureJobParameterName": erasure.parameter_name,
            "LogUri": storage.emr_logs_uri,
        }
        for key, value in outputs.items():
            CfnOutput(self, key, value=value)
