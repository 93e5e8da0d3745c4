"""Which network a run uses: the one asked for, which has to be the one that the output holds."""

from dataclasses import dataclass

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModel, load_facts, load_feature_model
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import FEATURE_MODEL, Output


@dataclass(frozen=True, slots=True)
class ChosenNetwork:
    """The network of a run, and whether the output keeps it already."""

    model: FeatureModel
    is_kept: bool


def choose_network(
    options: FeaturizeOptions, output: Output, previous: RunManifest | None
) -> ChosenNetwork:
    """Load or make the network.

    Raises FruitsError where it cannot be had, or is another than that of the ``previous`` run.
    """
    if previous is None:
        return ChosenNetwork(options.model.obtain(verbose=options.verbose), is_kept=False)
    used = previous.feature_model
    folder = output.folder(FEATURE_MODEL)
    facts = load_facts(folder)
    is_kept = facts is not None and facts.network_sha256 == used.network_sha256
    if is_kept and options.model.is_met_by(used):
        return ChosenNetwork(load_feature_model(folder), is_kept=True)
    if options.model.is_ruled_out_by(used):  # told apart before TensorFlow takes its seconds
        raise _another_network(options, previous)
    model = options.model.obtain(verbose=options.verbose)
    if model.facts.network_sha256 != used.network_sha256:
        raise _another_network(options, previous)
    return ChosenNetwork(model, is_kept)


def _another_network(options: FeaturizeOptions, latest: RunManifest) -> FruitsError:
    used = latest.feature_model
    return FruitsError(
        f"the output {options.output.uri} holds features of another network "
        f"({used.weights_source}, alpha {used.alpha:g}, {used.image_size_px} px), and features of "
        "two networks cannot be compared; choose another output, give the same network, or start "
        "afresh with --overwrite"
    )
