"""The command lines of the jobs: scripts and their arguments, as pure values.

EMR on EC2 runs them as steps, EMR Serverless as job runs, with the same arguments.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cdk_app.config import PipelineConfig

if TYPE_CHECKING:  # they import the CDK, which starts Node
    from cdk_app.artifacts import JobArtifacts
    from cdk_app.storage import Storage


@dataclass(frozen=True, slots=True)
class Job:
    """One script of the chain: its name, its URI and its arguments."""

    name: str
    script_uri: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a name, and the command line for EMR's ``command-runner.jar``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepInputs:
    """The inputs of the command lines.  Every ``*_uri`` is ``s3://`` or a token for one.

    ``revision`` stands for the content behind the URIs: with it, all steps change.
    """

    images_uri: str
    output_uri: str
    model_uri: str
    package_uri: str
    script_uris: dict[str, str]
    event_log_uri: str
    n_components: str
    label_level: int
    max_rejected: float
    revision: str

    @classmethod
    def deployed(
        cls, config: PipelineConfig, storage: "Storage", artifacts: "JobArtifacts"
    ) -> "StepInputs":
        """Return the inputs on the buckets and with the assets of a stack."""
        return cls(
            images_uri=storage.images_uri,
            output_uri=storage.output_uri,
            model_uri=artifacts.model.s3_object_url,
            package_uri=artifacts.package.s3_object_url,
            script_uris={name: asset.s3_object_url for name, asset in artifacts.scripts.items()},
            event_log_uri=storage.event_log_uri,
            n_components=config.n_components,
            label_level=config.label_level,
            max_rejected=config.max_rejected,
            revision=artifacts.revision,
        )


def pipeline_jobs(inputs: StepInputs) -> list[Job]:
    """Return featurize, reduce and report, in the order in which they run."""
    output = ("--output", inputs.output_uri)
    options = {
        "featurize": (
            *("--images", inputs.images_uri),
            *output,
            *("--model", inputs.model_uri),
            *("--label-level", str(inputs.label_level)),
            *("--max-rejected", str(inputs.max_rejected)),
        ),
        "reduce": (*output, "--n-components", inputs.n_components),
        "report": output,
    }
    return [Job(name, inputs.script_uris[name], arguments) for name, arguments in options.items()]


def erasure_job(inputs: StepInputs) -> Job:
    """Return the job that rewrites the tables and models of a started erasure.

    ``fruits erase`` submits it alone.
    """
    arguments = ("--output", inputs.output_uri, "--rewrite-only")
    return Job("erase", inputs.script_uris["erase"], arguments)


def pipeline_steps(inputs: StepInputs) -> list[Step]:
    """Return the steps of a cluster that run `pipeline_jobs`."""
    return [_step(inputs, job) for job in pipeline_jobs(inputs)]


def erasure_step(inputs: StepInputs) -> Step:
    """Return the step of a cluster that runs `erasure_job`."""
    return _step(inputs, erasure_job(inputs))


def notebook_step(inputs: StepInputs, script_uri: str) -> Step:
    """Return the step that executes a notebook, without the notebook and the place of its results.

    ``fruits submit --notebook`` adds both, and submits it alone.
    """
    arguments = (
        *("--images", inputs.images_uri),
        *("--output", inputs.output_uri),
        *("--model", inputs.model_uri),
    )
    # The queries of a notebook may name photographs, and its events then would too.
    return _step(inputs, Job("notebook", script_uri, arguments), logs_events=False)


def steps_as_json(steps: list[Step]) -> str:
    """Return the steps as the JSON text that ``fruits submit`` reads."""
    return json.dumps([asdict(step) for step in steps])


def _step(inputs: StepInputs, job: Job, *, logs_events: bool = True) -> Step:
    # Set for a step, and not for the cluster: other applications there could not start before a
    # step has created the folder.
    events = (
        *("--conf", f"spark.eventLog.enabled={str(logs_events).lower()}"),
        *(("--conf", f"spark.eventLog.dir={inputs.event_log_uri}") if logs_events else ()),
    )
    # In client mode the driver runs on the primary node and its last words are the step's own log.
    submit = (
        *("spark-submit", "--deploy-mode", "client"),
        # A redeployed step runs again. Without this, another number of components would run
        # reduce and not report.
        *("--conf", f"spark.yarn.tags=fruits-{_digest(inputs)}"),
        *events,
        *("--py-files", inputs.package_uri),
    )
    return Step(job.name, (*submit, job.script_uri, *job.arguments))


def _digest(inputs: StepInputs) -> str:
    options = (inputs.n_components, inputs.label_level, inputs.max_rejected)
    settings = " ".join(map(str, (inputs.revision, *options)))
    return hashlib.sha256(settings.encode()).hexdigest()[:16]
