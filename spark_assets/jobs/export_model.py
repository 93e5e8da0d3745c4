"""The export of a feature model: the files that workers load, with their digests."""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spark_assets.errors import ExitCode
from spark_assets.features.calibration import pixels_in
from spark_assets.features.feature_model import save_feature_model
from spark_assets.images.samples import draw_samples
from spark_assets.jobs.arguments import add_weights, model_request
from spark_assets.locations import parse_location
from spark_assets.progress import say

_SAMPLES_PER_LABEL = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_weights(parser)
    parser.add_argument(
        "--output", required=True, metavar="URI", help="folder or s3:// prefix of the model"
    )
    parser.add_argument("--verbose", action="store_true", help="stack traces")


def run(parsed: argparse.Namespace) -> ExitCode:
    """Make the model and write its three files."""
    folder = parse_location(parsed.output)
    model = model_request(parsed).obtain(_sample_pixels, verbose=parsed.verbose)
    save_feature_model(model, folder)
    if model.facts.warning:
        say(f"WARNING: {model.facts.warning}")
    say(
        f"{model.facts.architecture}, alpha {model.facts.alpha:g}, {model.facts.n_features} "
        f"features, weights: {model.facts.weights_source}; written to {folder.uri}"
    )
    return ExitCode.DONE


def _sample_pixels() -> NDArray[np.uint8]:
    """Return the project's own sample photographs, on which seeded weights are calibrated here."""
    with tempfile.TemporaryDirectory() as folder:
        draw_samples(Path(folder) / "samples", images_per_label=_SAMPLES_PER_LABEL)
        return pixels_in(parse_location(f"{folder}/samples"))
