"""Where job runs of EMR Serverless run: here, as one process each, under the role of the job.

A thread runs each job run that waits, as its request says: Spark's settings of the application, the
archive unpacked beside, the environment of the driver, and a Python that has nothing but that.
Another interprets each execution of the state machine, as Step Functions would.
"""

import gzip
import json
import os
import shlex
import subprocess
import tarfile
import threading
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyspark

from tests.emulated_aws.state_machine import Machine, TaskError
from tests.end_to_end.emulated_cloud import EmulatedCloud, Finished
from tests.end_to_end.node import Run, on_this_machine

_UNTIL_NEXT_LOOK_S = 0.5
_START_JOB_RUN = "emr-serverless:startJobRun.sync"
_DRIVER_ENV = "spark.emr-serverless.driverEnv."
_ARCHIVES = "spark.archives="
_UNDER_WAY = ("SUBMITTED", "RUNNING")


class ServerlessWorker:
    """Two threads that work for the application and the state machine of a stack.

    ``job_runs`` holds what was run, by name and the newest last.
    """

    def __init__(self, cloud: EmulatedCloud, jars: Path, outputs: dict[str, str]) -> None:
        self._cloud = cloud
        self._jars = jars
        self._outputs = outputs
        self._serverless = cloud.client("emr-serverless")
        self._sfn = cloud.client("stepfunctions")
        self._application_id = outputs["ApplicationId"]
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="serverless")
        self.job_runs: list[tuple[str, Finished]] = []

    def __enter__(self) -> "ServerlessWorker":
        self._python = self._bare_python()
        self._working = [
            self._pool.submit(self._repeat, each)
            for each in (self._work_on_a_job, self._interpret_an_execution)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()
        for each in self._working:
            each.result()

    def run(self, command: Callable[[], Finished]) -> Run:
        """Give a command that follows job runs to their end."""
        for each in self._working:
            if each.done():  # it has failed, and the command would wait for ever
                each.result()
        n_known = len(self.job_runs)
        followed = command()
        return Run(followed, dict(self.job_runs[n_known:]))

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._over.wait(_UNTIL_NEXT_LOOK_S):
            work()

    def _interpret_an_execution(self) -> None:
        machine = {"stateMachineArn": self._outputs["StateMachineArn"]}
        try:
            running = self._sfn.list_executions(**machine, statusFilter="RUNNING")["executions"]
            text = self._sfn.describe_state_machine(**machine)["definition"]
        except self._sfn.exceptions.StateMachineDoesNotExist:  # it has been destroyed
            return
        for execution in running:
            self._interpret(json.loads(text), execution["executionArn"])

    def _interpret(self, definition: dict[str, Any], execution_arn: str) -> None:
        def answer(state: str, action: str, parameters: dict[str, Any]) -> Any:
            self._tell(execution_arn=execution_arn, entered=state)
            if action != _START_JOB_RUN:
                return {}
            return self._run_sync(_uncapitalized(parameters))

        ended = Machine(definition, answer, execution_id=execution_arn).run()
        self._tell(execution_arn=execution_arn, entered=ended.states[-1])
        self._tell(execution_arn=execution_arn, status=ended.status, cause=ended.cause)

    def _run_sync(self, request: dict[str, Any]) -> dict[str, Any] | TaskError:
        try:
            started = self._serverless.start_job_run(**request)
        except self._serverless.exceptions.ClientError as error:
            return TaskError("EMRServerless.ValidationException", str(error))
        while True:
            job_run = self._get(started["jobRunId"])
            if job_run["state"] == "SUCCESS":
                return {"JobRunId": job_run["jobRunId"], "State": job_run["state"]}
            if job_run["state"] not in _UNDER_WAY or self._over.wait(_UNTIL_NEXT_LOOK_S):
                told = {"State": job_run["state"], "StateDetails": job_run.get("stateDetails")}
                return TaskError("States.TaskFailed", json.dumps(told))

    def _work_on_a_job(self) -> None:
        waiting = self._serverless.list_job_runs(
            applicationId=self._application_id, states=["SUBMITTED"]
        )["jobRuns"]
        for each in waiting[:1]:
            self._work_on(self._get(each["id"]))

    def _work_on(self, job_run: dict[str, Any]) -> None:
        word = {"application_id": self._application_id, "job_run_id": job_run["jobRunId"]}
        self._tell(**word, state="RUNNING")
        start = time.monotonic()
        try:
            done = self._run(job_run)
        except BaseException as error:
            # Who waits for the job learns that nobody works any more.
            self._tell(**word, state="FAILED", details=f"it could not be run here: {error!r}")
            raise
        # Noted before it is told: who waits for the end of a job looks here next.
        self.job_runs.append((job_run["name"], done))
        if self._get(job_run["jobRunId"])["state"] != "RUNNING":
            return  # it was cancelled, and its role may be gone
        self._ship_logs(job_run, done)
        state = "SUCCESS" if done.exit_code == 0 else "FAILED"
        details = "" if done.exit_code == 0 else f"Job failed with exit code {done.exit_code}."
        self._tell(**word, state=state, details=details, wall_time_s=time.monotonic() - start)

    def _run(self, job_run: dict[str, Any]) -> Finished:
        """Run the line of a job run in a folder of its own, until it ends or is cancelled."""
        folder = self._cloud.folder / f"job-{job_run['jobRunId']}"
        folder.mkdir()
        role = self._cloud.environment_of(job_run["executionRole"], "job")
        submit = job_run["jobDriver"]["sparkSubmit"]
        options = self._without_archives(shlex.split(submit["sparkSubmitParameters"]), folder, role)
        spark, settings = Path(pyspark.__file__).parent, self._settings()
        file = folder / "spark-defaults.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        command = [
            *(str(spark / "bin" / "spark-submit"), "--properties-file", str(file)),
            *(*options, submit["entryPoint"], *submit["entryPointArguments"]),
        ]
        environment = {
            **role,
            **{
                key.removeprefix(_DRIVER_ENV): value
                for key, value in settings.items()
                if key.startswith(_DRIVER_ENV)
            },
            "PATH": f"{self._python}{os.pathsep}{role['PATH']}",
            "SPARK_HOME": str(spark),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DIST_CLASSPATH": f"{self._jars}/*",
        }
        return self._finished(job_run, command, folder, environment)

    def _finished(
        self, job_run: dict[str, Any], command: list[str], folder: Path, environment: dict[str, str]
    ) -> Finished:
        out, err = folder / "stdout", folder / "stderr"
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=stdout, stderr=stderr
            )
            while process.poll() is None:
                if self._get(job_run["jobRunId"])["state"] != "RUNNING" or self._over.wait(0.2):
                    process.terminate()
                    process.wait(60)
        return Finished(process.returncode, out.read_text(), err.read_text())

    def _without_archives(
        self, options: list[str], folder: Path, role: dict[str, str]
    ) -> list[str]:
        """Unpack the archives that options name, as EMR Serverless does, and return the others.

        Spark on one machine unpacks them elsewhere than in the working folder.
        """
        others: list[str] = []
        for option in options:
            if not option.startswith(_ARCHIVES):
                others.append(option)
                continue
            assert others.pop() == "--conf"
            uri, _, name = option.removeprefix(_ARCHIVES).partition("#")
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            file = folder / "archive"
            self._cloud.client("s3", role).download_file(bucket, key, str(file))
            with tarfile.open(file) as archive:
                archive.extractall(folder / name, filter="data")
            file.unlink()
        return others

    def _settings(self) -> dict[str, str]:
        """Return Spark's settings: those of the application, but for this machine's."""
        told = self._serverless.get_application(applicationId=self._application_id)
        (defaults,) = [
            each["properties"]
            for each in told["application"]["runtimeConfiguration"]
            if each["classification"] == "spark-defaults"
        ]
        return {
            **defaults,
            **on_this_machine(self._cloud),
            "spark.dynamicAllocation.enabled": "false",
        }

    def _bare_python(self) -> str:
        """Make a Python without any package, and return the folder of its commands."""
        folder = self._cloud.folder / "bare"
        venv.create(folder, symlinks=True, with_pip=False)
        (folder / "bin" / "python3.11").exists() or (folder / "bin" / "python3.11").symlink_to(
            folder / "bin" / "python"
        )
        return str(folder / "bin")

    def _ship_logs(self, job_run: dict[str, Any], done: Finished) -> None:
        """Bring the log of the driver to the log bucket, as its role."""
        ids = f"applications/{self._application_id}/jobs/{job_run['jobRunId']}"
        bucket, _, prefix = self._outputs["LogUri"].removeprefix("s3://").partition("/")
        s3 = self._cloud.client("s3", self._cloud.environment_of(job_run["executionRole"], "log"))
        for log, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            key = f"{prefix.rstrip('/')}/{ids}/SPARK_DRIVER/{log}.gz"
            s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(text.encode()))

    def _get(self, job_run_id: str) -> dict[str, Any]:
        told = self._serverless.get_job_run(applicationId=self._application_id, jobRunId=job_run_id)
        job_run: dict[str, Any] = told["jobRun"]
        return job_run

    def _tell(self, **word: Any) -> None:
        self._cloud.tell("serverless", **word)


def _uncapitalized(given: dict[str, Any]) -> dict[str, Any]:
    """Return a request of Step Functions as the API takes it; tags keep their names."""
    return {
        f"{key[0].lower()}{key[1:]}": (
            _uncapitalized(value) if isinstance(value, dict) and key != "Tags" else value
        )
        for key, value in given.items()
    }
