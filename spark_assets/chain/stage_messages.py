"""The lines that the stages print."""

from spark_assets.chain.fit_and_project import Reduction
from spark_assets.chain.image_plan import NoChange, Plan
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import ExitCode
from spark_assets.features.feature_model import FeatureModel
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import REJECTED, REPORT, Output
from spark_assets.runtime.progress import echo
from spark_assets.text.printable import printable


def log_warning(model: FeatureModel) -> None:
    """Print the warning of weights that are not trained."""
    if model.facts.warning:
        echo(f"WARNING: {model.facts.warning}")


def log_plan(plan: Plan, *, is_update: bool) -> None:
    """Print how many images are featurized, unless there are none."""
    if plan.n_images:
        rest = f"; {_unchanged(plan.n_known, plan.n_deleted)}" if is_update else ""
        echo(f"featurizing {plan.n_images} images{rest}")


def log_featurized(result: RunManifest | NoChange, options: FeaturizeOptions) -> ExitCode:
    """Print the result of a featurize run, and return its exit code."""
    if isinstance(result, NoChange):
        echo(f"nothing to do: {result.n_known} images, all unchanged")
        return ExitCode.DONE
    counts = result.counts
    if not counts.n_images:
        rest = _unchanged(counts.n_known, counts.n_deleted)
        echo(f"nothing to featurize: {rest}, run {result.run_id}")
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
        f"and the reasons are in {options.output.child(REJECTED).uri}"
    )
    return ExitCode.TOO_MANY_REJECTED


def _unchanged(n_known: int, n_deleted: int) -> str:
    return f"{n_known} unchanged" + (f", {n_deleted} deleted" if n_deleted else "")


def log_reduction(reduction: Reduction) -> None:
    """Print how many images were projected, and how much variance the components explain."""
    record = reduction.record
    if not reduction.is_new_model and reduction.n_projected:
        echo(
            f"{reduction.n_projected} new images projected on the {record.n_components} components "
            f"of the PCA fitted on {record.n_samples} images, model {record.model_id}"
        )
        if (quality := reduction.fit_quality) is not None:
            echo(f"{'WARNING: ' if quality.alarm else ''}{printable(quality.sentence)}")
        return
    share = sum(record.explained_variance_ratio)
    fitted = "" if record.fitted_here else "of another output, "
    echo(
        f"{'' if reduction.is_new_model else 'no new image to project: '}{reduction.n_images} "
        f"images reduced to {record.n_components} components, {share:.1%} of the variance; "
        f"PCA {fitted}fitted on {record.n_samples} images, model {record.model_id}"
    )


def log_nothing_to_reduce() -> None:
    """Print that every image was rejected."""
    echo("fruits: all images were rejected, so no PCA is fitted; the reasons are in the report")


def log_report(output: Output) -> None:
    """Print where the report is."""
    echo(f"report: {output.child(REPORT).uri}")
