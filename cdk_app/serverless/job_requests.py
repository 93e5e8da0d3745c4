"""The requests that start job runs on EMR Serverless, as its API takes them."""

from dataclasses import dataclass
from typing import Any

from cdk_app.config import PipelineConfig
from cdk_app.serverless.worker_sizes import LIBRARIES
from cdk_app.step_commands import Job

# Of the time of a run, in percent: at the end of it each job has ended.
_SHARES_OF_A_RUN = {"featurize": 60, "reduce": 20, "report": 20}


@dataclass(frozen=True, slots=True)
class JobRequests:
    """What all job runs have in common.  Every ``*_uri`` is ``s3://`` or a token for one."""

    config: PipelineConfig
    application_id: str
    job_role_arn: str
    package_uri: str
    libraries_uri: str

    def request(self, job: Job) -> dict[str, Any]:
        """Return the request of StartJobRun for a job, without a client token.

        A job is cancelled at the end of its share of ``run_timeout_hours``; one that is no part of
        a run has all of it.
        """
        share = _SHARES_OF_A_RUN.get(job.name, 100)
        return {
            "applicationId": self.application_id,
            "executionRoleArn": self.job_role_arn,
            "name": job.name,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": job.script_uri,
                    "entryPointArguments": list(job.arguments),
                    "sparkSubmitParameters": (
                        f"--py-files {self.package_uri} "
                        f"--conf spark.archives={self.libraries_uri}#{LIBRARIES}"
                    ),
                }
            },
            "executionTimeoutMinutes": self.config.run_timeout_hours * 60 * share // 100,
            "tags": self.config.tags,
        }

    def parameters(self, job: Job) -> dict[str, Any]:
        """Return the same request as Step Functions writes it, with its client token.

        The token is of the execution and the job: a request that is sent twice starts one job run.
        """
        request = self.request(job)
        return {
            **_capitalized({key: value for key, value in request.items() if key != "tags"}),
            "Tags": request["tags"],
            "ClientToken.$": (
                f"States.Hash(States.Format('{{}} {job.name}', $$.Execution.Id), 'SHA-256')"
            ),
        }


def _capitalized(request: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{key[0].upper()}{key[1:]}": _capitalized(value) if isinstance(value, dict) else value
        for key, value in request.items()
    }
