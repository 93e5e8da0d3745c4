"""What the chain says while it works, a line for each stage."""

from spark_assets.chain.fit_and_project import Reduction
from spark_assets.chain.network import ChosenNetwork
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.plan import NothingNew, Plan
from spark_assets.errors import ExitCode
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import REJECTED, REPORT, Output
from spark_assets.runtime.progress import echo
from spark_assets.text.printable import printable


def say_network(network: ChosenNetwork) -> None:
    """Warn of weights that nothing was learned with."""
    if network.model.facts.warning:
        echo(f"WARNING: {network.model.facts.warning}")


def log_plan(plan: Plan, *, adds: bool) -> None:
    """Say how many images are looked at."""
    rest = f", {_known_and_gone(plan.n_known, plan.n_deleted)}" if adds else ""
    echo(f"{plan.n_images} images to look at{rest}")


def say_featurized(result: RunManifest | NothingNew, options: FeaturizeOptions) -> ExitCode:
    """Say what a run did, and return whether too many images were rejected."""
    if isinstance(result, NothingNew):
        echo(f"nothing new: all {result.n_known} images are known and unchanged")
        return ExitCode.DONE
    counts = result.counts
    if not counts.n_images:
        rest = _known_and_gone(counts.n_known, counts.n_deleted)
        echo(f"{rest}; nothing to featurize, run {result.run_id}")
        return ExitCode.DONE
    reasons = ", ".join(f"{n} {reason}" for reason, n in counts.rejected_by_reason.items())
    echo(
        f"{counts.n_images} images = {counts.n_features} features + {counts.n_rejected} rejected"
        f"{f' ({reasons})' if reasons else ''}, {result.images_per_second:.1f} images/s, "
        f"run {result.run_id}"
    )
    if counts.rejected_share <= options.max_rejected:
        return ExitCode.DONE
    echo(
        f"fruits: {counts.n_rejected} of {counts.n_images} images were rejected, more than the "
        f"share of {options.max_rejected:g} that --max-rejected allows; the tables are written, "
        f"and {options.output.child(REJECTED).uri} says why"
    )
    return ExitCode.TOO_MANY_REJECTED


def _known_and_gone(n_known: int, n_deleted: int) -> str:
    """Return ``220 known, 20 gone``."""
    return f"{n_known} known" + (f", {n_deleted} gone" if n_deleted else "")


def say_nothing_to_reduce() -> None:
    """Say that no image could be used."""
    echo("fruits: no image could be used, so there is nothing to reduce; the report says why")


def say_reduced(reduction: Reduction) -> None:
    """Say what the PCA keeps, of how many images."""
    record = reduction.record
    if not reduction.is_new_model and reduction.n_projected:
        echo(
            f"{reduction.n_projected} new images projected on the {record.n_components} components "
            f"of the model fitted on {record.n_samples} images, model {record.model_id}"
        )
        if reduction.fit is not None:
            echo(f"{'WARNING: ' if reduction.fit.alarm else ''}{printable(reduction.fit.sentence)}")
        return
    share = sum(record.explained_variance_ratio)
    how = "fitted on" if record.fitted_here else "projected with a model fitted on"
    echo(
        f"{'' if reduction.is_new_model else 'nothing new: '}{reduction.n_images} images reduced "
        f"to {record.n_components} components, which keep {share:.1%} of the variance; "
        f"{how} {record.n_samples} images, model {record.model_id}"
    )


def say_report(output: Output) -> None:
    """Say where the report is."""
    echo(f"report: {output.child(REPORT).uri}")
