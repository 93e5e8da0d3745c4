"""Which network a run uses: the one asked for, which has to be the one that the output holds."""

from collections.abc import Sequence

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModel, load_facts, load_feature_model
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest


def choose_feature_model(
    options: FeaturizeOptions,
    layout: OutputLayout,
    earlier: Sequence[RunManifest],
) -> tuple[FeatureModel, bool]:
    """Return the network to use, and whether it is the one that the output keeps already."""
    if not earlier:
        return options.model.obtain(verbose=options.verbose), False
    made_by = str(earlier[-1].feature_model["network_sha256"])
    kept = layout.feature_model(made_by)
    facts = load_facts(kept)
    if facts is not None and options.model.is_met_by(facts):
        return load_feature_model(kept), True
    is_ruled_out = facts is not None and options.model.is_ruled_out_by(facts)
    found = None if is_ruled_out else options.model.obtain(verbose=options.verbose)
    if found is None or found.facts.network_sha256 != made_by:
        source = earlier[-1].feature_model["weights_source"]
        raise FruitsError(
            f"the output {options.output.uri} holds features of another network ({source}, alpha "
            f"{earlier[-1].feature_model['alpha']:g}), and features of two networks cannot be "
            "compared; choose another output, give the same network, or start afresh with "
            "--overwrite"
        )
    return found, facts is not None
