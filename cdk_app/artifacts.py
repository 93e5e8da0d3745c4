"""The S3 assets of the jobs: scripts, package, libraries and network."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Annotations, IgnoreMode
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_app.config import REGION, ConfigError, PipelineConfig

ROOT = Path(__file__).resolve().parents[1]
# Stands for a missing file, in a stack that cannot be deployed.
_MISSING = ROOT / "cdk.json"
_MODEL_FILES = ("model.json", "model.tflite", "model.weights.h5")


class JobArtifacts(Construct):
    """The assets of every job, on a cluster or on EMR Serverless.

    ``scripts`` are the entry scripts by the name of their job, ``package`` the zip that
    ``--py-files`` takes, ``model`` the zip of the network.

    Missing wheels or a missing network are an error of the stack: it is then neither shown nor
    deployed, and can still be destroyed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id)
        self.model = assets.Asset(self, "Model", path=str(self._existing(model_folder, config)))
        self.package = assets.Asset(
            self,
            "Package",
            path=str(ROOT),
            ignore_mode=IgnoreMode.GIT,
            exclude=["/*", "!/spark_assets", "__pycache__"],
        )
        self.scripts = {
            name: assets.Asset(
                self,
                name.title(),
                path=str(ROOT / "spark_assets" / "jobs" / f"{name}.py"),
            )
            for name in ("featurize", "reduce", "report", "erase")
        }

    @property
    def bucket(self) -> s3.IBucket:
        """The bucket of all of them: the one that ``cdk bootstrap`` made."""
        return self.package.bucket

    @property
    def revision(self) -> str:
        """The digests of the assets of the jobs."""
        return " ".join(file.asset_hash for file in self._job_assets())

    @property
    def object_arns(self) -> list[str]:
        """The ARN of each object that a job, or the node that it runs on, may read."""
        files = [*self._platform_assets(), *self._job_assets()]
        return [file.bucket.arn_for_objects(file.s3_object_key) for file in files]

    def _job_assets(self) -> list[assets.Asset]:
        return [self.model, self.package, *self.scripts.values()]

    def _platform_assets(self) -> list[assets.Asset]:
        """Return the assets of the cluster or the application itself."""
        return []

    def _existing(self, find: Callable[[PipelineConfig], Path], config: PipelineConfig) -> Path:
        try:
            return find(config)
        except ConfigError as error:
            Annotations.of(self).add_error(str(error))
            return _MISSING


class Artifacts(JobArtifacts):
    """The assets of a cluster: also wheels, bootstrap script and the job of notebooks."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        wheelhouse = self._existing(wheelhouse_file, config)
        self.wheelhouse_sha256 = sha256_of(wheelhouse)
        self.wheelhouse = assets.Asset(self, "Wheelhouse", path=str(wheelhouse))
        self.bootstrap = assets.Asset(
            self, "Bootstrap", path=str(ROOT / "spark_assets" / "node" / "bootstrap.sh")
        )
        self.notebook = assets.Asset(
            self, "Notebook", path=str(ROOT / "spark_assets" / "jobs" / "notebook.py")
        )

    @property
    def bootstrap_arguments(self) -> tuple[str, str, str]:
        """The arguments of the bootstrap script: URI and digest of the wheels, and the region."""
        return self.wheelhouse.s3_object_url, self.wheelhouse_sha256, REGION

    def _platform_assets(self) -> list[assets.Asset]:
        return [self.wheelhouse, self.bootstrap, self.notebook]


class ServerlessArtifacts(JobArtifacts):
    """The assets of EMR Serverless: also the libraries, unpacked from their wheels."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        self.libraries = assets.Asset(
            self, "Libraries", path=str(self._existing(libraries_file, config))
        )

    def _platform_assets(self) -> list[assets.Asset]:
        return [self.libraries]


def wheelhouse_file(config: PipelineConfig) -> Path:
    """Return the wheels for the cluster's architecture.  Raises ConfigError if they are missing."""
    return _beside_the_wheels(config, "wheelhouse.tar.gz", "wheels")


def libraries_file(config: PipelineConfig) -> Path:
    """Return the same wheels unpacked, as one archive.  Raises ConfigError if it is missing.

    Spark recognizes an archive by its suffix, and of ``.tar.gz`` the CDK keeps ``.gz`` alone.
    """
    return _beside_the_wheels(config, "libraries.tgz", "libraries")


def _beside_the_wheels(config: PipelineConfig, name: str, what: str) -> Path:
    file = ROOT / config.wheelhouse_path / config.architecture / name
    if not file.is_file():
        raise ConfigError(
            f"the {what} for {config.architecture} are not in {config.wheelhouse_path}; build them "
            f"with: fruits build-artifacts --architecture {config.architecture}"
        )
    return file


def model_folder(config: PipelineConfig) -> Path:
    """Return the folder of the network.  Raises ConfigError if a file of it is missing."""
    folder = ROOT / config.model_path
    missing = [name for name in _MODEL_FILES if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"there is no network in {config.model_path} ({', '.join(missing)} missing); build it "
            "with: fruits build-artifacts"
        )
    return folder


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file, as hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
