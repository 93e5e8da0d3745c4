"""The jobs of a stack: those of the chain, on its buckets and with its assets."""

from cdk_app.artifacts import Artifacts, JobArtifacts
from cdk_app.config import PipelineConfig
from cdk_app.steps import (
    Job,
    Step,
    StepInputs,
    erasure_job,
    erasure_step,
    notebook_step,
    pipeline_jobs,
    pipeline_steps,
)
from cdk_app.storage import Storage


def deployed_steps(config: PipelineConfig, storage: Storage, artifacts: JobArtifacts) -> list[Step]:
    """Return featurize, reduce and report as steps of this deployment's cluster."""
    return pipeline_steps(_inputs(config, storage, artifacts))


def deployed_erasure_step(
    config: PipelineConfig, storage: Storage, artifacts: JobArtifacts
) -> Step:
    """Return the step of an erasure as this deployment's cluster runs it."""
    return erasure_step(_inputs(config, storage, artifacts))


def deployed_notebook_step(config: PipelineConfig, storage: Storage, artifacts: Artifacts) -> Step:
    """Return the step of a notebook as this deployment runs it."""
    script_uri = artifacts.notebook.s3_object_url
    return notebook_step(_inputs(config, storage, artifacts), script_uri)


def deployed_jobs(config: PipelineConfig, storage: Storage, artifacts: JobArtifacts) -> list[Job]:
    """Return featurize, reduce and report as this deployment runs them on EMR Serverless."""
    return pipeline_jobs(_inputs(config, storage, artifacts))


def deployed_erasure_job(config: PipelineConfig, storage: Storage, artifacts: JobArtifacts) -> Job:
    """Return the job of an erasure as this deployment runs it on EMR Serverless."""
    return erasure_job(_inputs(config, storage, artifacts))


def _inputs(config: PipelineConfig, storage: Storage, artifacts: JobArtifacts) -> StepInputs:
    return StepInputs(
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
