"""What jobs are given: scripts, package, libraries and network, as S3 assets."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Annotations, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_app.config import REGION, ConfigError, PipelineConfig

ROOT = Path(__file__).resolve().parents[1]
# Stands for a file that has not been made, in a stack that cannot be deployed.
_NOT_MADE = ROOT / "cdk.json"
_MODEL_FILES = ("model.json", "model.tflite", "model.weights.h5")


class JobArtifacts(Construct):
    """What every job reads, wherever it runs.

    ``scripts`` are the entry scripts by the name of their job, ``package`` the zip that
    ``--py-files`` takes, ``model`` the zip of the network.

    Wheels or a network that have not been made are an error of the stack: it is then neither
    shown nor deployed, and can still be destroyed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id)
        self.model = assets.Asset(self, "Model", path=str(self._made(model_folder, config)))
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
        """What the jobs are made of, as the digests of their assets."""
        return " ".join(file.asset_hash for file in self._of_jobs())

    @property
    def object_arns(self) -> list[str]:
        """The ARN of each object that a job, or the node that it runs on, may read."""
        files = [*self._of_place(), *self._of_jobs()]
        return [file.bucket.arn_for_objects(file.s3_object_key) for file in files]

    def read_statement(self) -> iam.PolicyStatement:
        """Return the permission to read these objects and no others of their bucket."""
        return iam.PolicyStatement(
            sid="ReadAssets", actions=["s3:GetObject"], resources=self.object_arns
        )

    def _of_jobs(self) -> list[assets.Asset]:
        return [self.model, self.package, *self.scripts.values()]

    def _of_place(self) -> list[assets.Asset]:
        """Return what the place where jobs run is made with."""
        return []

    def _made(self, find: Callable[[PipelineConfig], Path], config: PipelineConfig) -> Path:
        try:
            return find(config)
        except ConfigError as error:
            Annotations.of(self).add_error(str(error))
            return _NOT_MADE


class Artifacts(JobArtifacts):
    """What a cluster reads: the wheels and what installs them, and what executes notebooks, too."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        wheelhouse = self._made(wheelhouse_file, config)
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
        """What the bootstrap script is given: the wheels, their digest, and where they lie."""
        return self.wheelhouse.s3_object_url, self.wheelhouse_sha256, REGION

    def _of_place(self) -> list[assets.Asset]:
        return [self.wheelhouse, self.bootstrap, self.notebook]


class ServerlessArtifacts(JobArtifacts):
    """What EMR Serverless reads: the libraries, unpacked from their wheels, too."""

    def __init__(self, scope: Construct, construct_id: str, *, config: PipelineConfig) -> None:
        super().__init__(scope, construct_id, config=config)
        self.libraries = assets.Asset(
            self, "Libraries", path=str(self._made(libraries_file, config))
        )

    def _of_place(self) -> list[assets.Asset]:
        return [self.libraries]


def wheelhouse_file(config: PipelineConfig) -> Path:
    """Return the wheels for the cluster's architecture.  Raises ConfigError if they are missing."""
    return _beside_the_wheels(config, "wheelhouse.tar.gz", "wheels")


def libraries_file(config: PipelineConfig) -> Path:
    """Return the same wheels unpacked, as one archive.  Raises ConfigError if it is missing.

    Spark tells an archive by the end of its name, and of ``.tar.gz`` the CDK keeps ``.gz`` alone.
    """
    return _beside_the_wheels(config, "libraries.tgz", "libraries")


def _beside_the_wheels(config: PipelineConfig, name: str, what: str) -> Path:
    file = ROOT / config.wheelhouse_path / config.architecture / name
    if not file.is_file():
        raise ConfigError(
            f"the {what} for {config.architecture} are not in {config.wheelhouse_path}; make them "
            f"with: make wheelhouse ARCHITECTURE={config.architecture}"
        )
    return file


def model_folder(config: PipelineConfig) -> Path:
    """Return the folder of the network.  Raises ConfigError if a file of it is missing."""
    folder = ROOT / config.model_path
    missing = [name for name in _MODEL_FILES if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            f"there is no network in {config.model_path} ({', '.join(missing)} missing); make it "
            "with: make model"
        )
    return folder


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file, as hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
