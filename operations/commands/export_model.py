"""The export of a feature model: the files that workers load, with their digests."""

import argparse

from spark_assets.errors import ExitCode
from spark_assets.features.feature_model import save_feature_model
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.jobs.arguments import add_weights, model_request
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location, parse_location


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_weights(parser)
    parser.add_argument(
        "--output", required=True, metavar="URI", help="folder or s3:// prefix of the model"
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Export the network of the options."""
    export_model(model_request(parsed), parse_location(parsed.output), verbose=parsed.verbose)
    return ExitCode.DONE


def export_model(request: FeatureModelRequest, folder: Location, *, verbose: bool = False) -> None:
    """Make a network and write its three files."""
    model = request.obtain(verbose=verbose)
    save_feature_model(model, folder)
    facts = model.facts
    if facts.warning:
        echo(f"WARNING: {facts.warning}")
    echo(
        f"{facts.architecture}, alpha {facts.alpha:g}, {facts.image_size_px} px, "
        f"{facts.n_features} features, weights: {facts.weights_source}; written to {folder.uri}"
    )


COMMAND = Command(add_arguments, run, Kind.LOCAL)
