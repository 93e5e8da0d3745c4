"""The build-artifacts command: what the stacks ship to the nodes.

Wheels, the same unpacked for EMR Serverless, and the network.
"""

import argparse
import tarfile
from pathlib import Path

from cdk_app.config import PipelineConfig
from cdk_app.instances import Architecture
from operations.cdk.run_cdk import ROOT
from operations.commands.cloud_arguments import add_cdk_options, config_of
from operations.commands.export_model import export_model
from spark_assets.errors import ExitCode
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import parse_location

# Files of the project; another path in the configuration is that of files made elsewhere.
_WHEELHOUSE, _MODEL = Path("build/wheelhouse"), Path("build/model")
_MODEL_FILE = "model.json"  # written last


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--architecture",
        type=Architecture,
        choices=list(Architecture),
        help="wheels and libraries for this architecture, without the network (default: all that "
        "the configured stacks ship)",
    )
    add_cdk_options(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Build the artifacts of the configuration, or the wheels for an architecture."""
    if parsed.architecture is None:
        build_artifacts(config_of(parsed))
    else:
        _build_wheels(parsed.architecture)
    return ExitCode.DONE


def build_artifacts(config: PipelineConfig) -> None:
    """Build what is missing, and pack the wheels anew where what they are made from is newer.

    A network that is there stays: ``fruits export-model --output build/model`` replaces it.

    Raises FruitsError where a wheel or the weights cannot be downloaded.
    """
    if config.wheelhouse_path == _WHEELHOUSE:
        _build_wheels(config.architecture)
    if config.model_path == _MODEL and not (ROOT / _MODEL / _MODEL_FILE).is_file():
        export_model(FeatureModelRequest(weights="imagenet"), parse_location(str(ROOT / _MODEL)))


def _build_wheels(architecture: Architecture) -> None:
    # They import elftools, of the group cdk, which only those who deploy install.
    from operations import library_archive, shared_libraries, wheelhouse

    folder = ROOT / _WHEELHOUSE / architecture
    wheels, libraries = folder / "wheelhouse.tar.gz", folder / "libraries.tgz"
    sources = [wheelhouse.REQUIREMENTS, wheelhouse.MODULES]
    programs = [Path(str(module.__file__)) for module in (wheelhouse, shared_libraries)]
    if not _is_current(wheels, *sources, *programs):
        wheelhouse.make_wheelhouse(architecture, wheels)
        with tarfile.open(wheels) as archive:
            n_wheels = sum(name.endswith(".whl") for name in archive.getnames())
        echo(f"{wheels}: {n_wheels} wheels for {architecture}, {_megabytes(wheels)}")
    if not _is_current(libraries, wheels, Path(str(library_archive.__file__))):
        n_wheels = library_archive.pack_libraries(wheels, libraries)
        echo(f"{libraries}: the libraries of {n_wheels} wheels, {_megabytes(libraries)}")


def _is_current(target: Path, *sources: Path) -> bool:
    """Return whether a file is there and none of its sources is newer."""
    if not target.is_file():
        return False
    made_at = target.stat().st_mtime
    return all(source.stat().st_mtime <= made_at for source in sources)


def _megabytes(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:.0f} MB"


COMMAND = Command(add_arguments, run, Kind.LOCAL)
