"""A node of the cluster, as one process: what EMR would run on an instance runs here.

It knows of its cluster what EMR's API tells: the bootstrap action, the Spark settings, the steps.
It acts as the role of the instance profile, with the policies as they were deployed.  What it runs
has the credentials of the role from the metadata service, which fails at first, and none in its
environment.
"""

import gzip
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark

from tests.emulated_aws.metadata import metadata_service
from tests.end_to_end.emulated_cloud import EmulatedCloud, Finished

STEPS = ("featurize", "reduce", "report")
_UNTIL_NEXT_LOOK_S = 0.5
_N_METADATA_FAILURES = 2
_KEYS = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "Token",
}
# A JVM that lives for seconds gains nothing from the second compiler: the steps take two thirds of
# the processor time that they take with it.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def on_this_machine(cloud: EmulatedCloud) -> dict[str, str]:
    """Return Spark's settings that differ here: one small machine, and where the emulator is."""
    return {
        "spark.master": "local[2]",
        "spark.default.parallelism": "2",
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": _SHORT_LIVED,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.s3a.endpoint": cloud.endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
    }


class Node:
    """A node of a cluster: its packages in a scratch folder, its role, and its Spark."""

    def __init__(self, cloud: EmulatedCloud, jars: Path, cluster_id: str) -> None:
        self._cloud = cloud
        self._jars = jars
        self.cluster_id = cluster_id
        self._emr = cloud.client("emr")
        self._cluster = self._emr.describe_cluster(ClusterId=cluster_id)["Cluster"]
        self._prefix = cloud.folder / "fruits"
        self.environment = self._environment()
        self._services = ExitStack()
        keys = {name: self.environment[variable] for variable, name in _KEYS.items()}
        self._metadata = self._services.enter_context(
            metadata_service(keys, n_failures=_N_METADATA_FAILURES)
        )

    def stop(self) -> None:
        """End what a node has beside the commands that it runs."""
        self._services.close()

    def bootstrap(self) -> Finished:
        """Fetch the bootstrap action and run it, under the role of the node."""
        (action,) = self._emr.list_bootstrap_actions(ClusterId=self.cluster_id)["BootstrapActions"]
        self._tell(state="BOOTSTRAPPING")
        file = self._cloud.folder / "bootstrap.sh"
        done = self._run(["aws", "s3", "cp", "--only-show-errors", action["ScriptPath"], str(file)])
        if done.exit_code != 0:
            return done
        return self._run(["bash", str(file), *action["Args"]], FRUITS_PREFIX=str(self._prefix))

    def tell_bootstrap(self, done: Finished) -> None:
        """Tell EMR what came of the bootstrap action."""
        if done.exit_code == 0:
            self._tell(state="WAITING")
        else:
            self._tell(state="TERMINATED_WITH_ERRORS", reason="bootstrap action 1 has failed")

    def next_step(self) -> dict[str, Any] | None:
        """Return the step that waits longest, or None where none waits."""
        steps = self._emr.list_steps(ClusterId=self.cluster_id, StepStates=["PENDING"])["Steps"]
        return steps[-1] if steps else None

    def run_step(self, step: dict[str, Any]) -> Finished:
        """Run the line of a step, under the role of the node."""
        self._tell(step_id=step["Id"], state="RUNNING")
        command, *arguments = step["Config"]["Args"]
        spark = Path(pyspark.__file__).parent
        return self._run(
            [str(spark / "bin" / command), "--properties-file", str(self._settings()), *arguments],
            SPARK_HOME=str(spark),
            SPARK_LOCAL_IP="127.0.0.1",
            SPARK_DIST_CLASSPATH=f"{self._jars}/*",
            **self._exported(),
        )

    def tell_step(self, step: dict[str, Any], done: Finished) -> None:
        """Bring the log of a step to the log bucket, and tell EMR what came of it."""
        log = self._ship_logs(step["Id"], done)
        if done.exit_code == 0:
            self._tell(step_id=step["Id"], state="COMPLETED")
        else:
            self._tell(step_id=step["Id"], state="FAILED", log_file=log)

    def denied(self, operation: str, **arguments: Any) -> bool:
        """Tell whether S3 refuses an operation to the role of the node."""
        return self._cloud.denied(operation, self.environment, **arguments)

    def _tell(self, **word: str) -> None:
        self._cloud.tell("emr", cluster_id=self.cluster_id, **word)

    def _ship_logs(self, step_id: str, done: Finished) -> str:
        uri = f"{self._cluster['LogUri']}{self.cluster_id}/steps/{step_id}"
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        s3 = self._cloud.client("s3", self.environment)
        for log, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            body = gzip.compress(text.encode())
            s3.put_object(Bucket=bucket, Key=f"{prefix}/{log}.gz", Body=body)
        return f"{uri}/stderr.gz"

    def _run(self, command: list[str], **environment: str) -> Finished:
        without_keys = {k: v for k, v in self.environment.items() if k not in _KEYS}
        del without_keys["AWS_EC2_METADATA_DISABLED"]
        without_keys["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self._metadata
        done = subprocess.run(
            command, cwd=self._cloud.folder, env={**without_keys, **environment},
            capture_output=True, text=True, check=False, timeout=400,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)

    def _settings(self) -> Path:
        """Write Spark's settings: those of the cluster, and where the emulator is."""
        (defaults,) = [
            configuration["Properties"]
            for configuration in self._cluster["Configurations"]
            if configuration["Classification"] == "spark-defaults"
        ]
        settings = {
            **{k: v.replace("/opt/fruits", str(self._prefix)) for k, v in defaults.items()},
            **on_this_machine(self._cloud),
        }
        file = self._cloud.folder / "spark-defaults.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        return file

    def _exported(self) -> dict[str, str]:
        """Return what the cluster exports to what is submitted on it, but where its Python is."""
        (within,) = [
            configuration["Configurations"]
            for configuration in self._cluster["Configurations"]
            if configuration["Classification"] == "spark-env"
        ]
        return {k: v for k, v in within[0]["Properties"].items() if k != "PYSPARK_PYTHON"}

    def _environment(self) -> dict[str, str]:
        """Return the environment of the role in the instance profile, as an instance finds it."""
        profile = self._cluster["Ec2InstanceAttributes"]["IamInstanceProfile"]
        found = self._cloud.client("iam").get_instance_profile(InstanceProfileName=profile)
        (role,) = found["InstanceProfile"]["Roles"]
        return self._cloud.environment_of(role["Arn"], "node")


@dataclass(frozen=True)
class Run:
    """Steps as the operator follows them: what is told, and what the nodes ran, by name."""

    followed: Finished
    steps: dict[str, Finished]


class Nodes:
    """A thread that starts a node for a cluster that appears, and lets it work while it is there.

    ``bootstraps`` and ``steps`` hold what was run, the latter by the id of the step.
    """

    def __init__(self, cloud: EmulatedCloud, jars: Path) -> None:
        self._cloud = cloud
        self._jars = jars
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="nodes")
        self.node: Node | None = None
        self.bootstraps: list[Finished] = []
        self.steps: dict[str, Finished] = {}

    def __enter__(self) -> "Nodes":
        self._working = self._pool.submit(self._work)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()
        self._working.result()

    def run(self, command: Callable[[], Finished], names: Sequence[str] = STEPS) -> Run:
        """Give a command that follows the steps to their end."""
        known = set(self.steps)
        followed = command()
        ran = [done for step_id, done in self.steps.items() if step_id not in known]
        return Run(followed, dict(zip(names, ran, strict=False)))

    def _work(self) -> None:
        emr = self._cloud.client("emr")
        try:
            while not self._over.wait(_UNTIL_NEXT_LOOK_S):
                for cluster in emr.list_clusters()["Clusters"]:
                    self._work_on(cluster["Id"], cluster["Status"]["State"])
        finally:
            # Who waits for a cluster or a step learns that nobody works any more.
            for cluster in emr.list_clusters()["Clusters"]:
                if not cluster["Status"]["State"].startswith("TERMINATED"):
                    self._cloud.tell(
                        "emr", cluster_id=cluster["Id"], state="TERMINATED_WITH_ERRORS"
                    )
            if self.node is not None:
                self.node.stop()

    def _work_on(self, cluster_id: str, state: str) -> None:
        # Noted before it is told: who waits for the end of a step looks here next.
        if state == "STARTING":
            self.node = Node(self._cloud, self._jars, cluster_id)
            done = self.node.bootstrap()
            self.bootstraps.append(done)
            self.node.tell_bootstrap(done)
        elif state == "RUNNING" and self.node is not None and (step := self.node.next_step()):
            done = self.node.run_step(step)
            self.steps[step["Id"]] = done
            self.node.tell_step(step, done)
