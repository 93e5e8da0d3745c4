"""The lines that ``fruits evaluate`` prints."""

from recognition.evaluation.evaluate_output import KeptEvaluation
from spark_assets.output.evaluation_record import (
    CLUSTERS,
    NEAREST,
    OBJECTS,
    PHOTOGRAPHS,
    RIDGE,
    TEST,
    Evaluation,
    Score,
    VarietyScores,
)
from spark_assets.runtime.progress import echo
from spark_assets.text.printable import printable

_SPLITS = {
    OBJECTS: "held-out objects",
    CLUSTERS: "held-out clusters of similar photographs",
    PHOTOGRAPHS: "held-out photographs",
    TEST: "test set",
}


def print_evaluation(kept: KeptEvaluation) -> None:
    """Print the scores, and log the classifier and its folder."""
    evaluation = kept.evaluation
    if evaluation.warning is not None:
        echo(f"WARNING: {evaluation.warning}")
    # Flushed, to stand before later lines on stderr.
    print("\n".join(evaluation_lines(evaluation)), flush=True)
    record = kept.classifier
    varieties = f" and {record.n_varieties} varieties" if record.n_varieties else ""
    echo(
        f"classifier of {record.n_labels} labels{varieties}: {kept.folder.uri}; unknown: score "
        f"below {record.unknown_threshold:.2f} ({record.false_unknown_rate:.0%} of held-out "
        "photographs)"
    )


def evaluation_lines(evaluation: Evaluation) -> list[str]:
    """Return the scores as lines of text."""
    of_all = f" (random sample of {evaluation.n_current:,})" if evaluation.is_sample else ""
    objects = "" if evaluation.group_by is None else f", {evaluation.n_objects} objects"
    n_labels = len(evaluation.labels)
    lines = [f"{evaluation.n_photographs} photographs of {n_labels} labels{objects}{of_all}"]
    if evaluation.n_unlabeled:
        lines.append(f"left out: {evaluation.n_unlabeled} photographs without label")
    if evaluation.n_copies:
        lines.append(f"left out: {evaluation.n_copies} copies of other photographs")
    if evaluation.labels_left_out:
        lines.append(_left_out(evaluation))
    if evaluation.n_test_rejected:
        lines.append(f"rejected: {evaluation.n_test_rejected} test images")
    split = ""
    for score in evaluation.scores:
        if score.split != split:
            split = score.split
            folds = "" if evaluation.n_folds is None else f", {evaluation.n_folds} folds"
            lines.append(f"accuracy (95% interval), {_SPLITS[split]}{folds}:")
        lines.append(f"  {_line(score, evaluation.n_neighbors)}")
    lines.append(
        f"calibration error {evaluation.calibration_error:.3f}; penalty {evaluation.penalty:g} and "
        f"{_space(evaluation.scores[0])} chosen with {_SPLITS[evaluation.chosen_by]}"
    )
    if evaluation.varieties is not None:
        lines += _variety_lines(evaluation.varieties, evaluation.main_split)
    return lines


def _line(score: Score, n_neighbors: int) -> str:
    classifier = score.classifier if score.classifier == RIDGE else f"{n_neighbors} {NEAREST}"
    return (
        f"{classifier + ', ' + _space(score):<38} {score.accuracy:.3f} "
        f"({score.low:.3f} to {score.high:.3f}), balanced {score.balanced_accuracy:.3f}, "
        f"macro F1 {score.macro_f1:.3f}"
    )


def _variety_lines(scores: VarietyScores, split: str) -> list[str]:
    left_out = f", {scores.n_left_out} left out" if scores.n_left_out else ""
    answered = "" if scores.accuracy_answered is None else f", right {scores.accuracy_answered:.3f}"
    return [
        f"{scores.n_varieties} varieties, {_SPLITS[split]} ({scores.n_tested} photographs"
        f"{left_out}):",
        f"  {'all':<38} {scores.accuracy:.3f} ({scores.low:.3f} to {scores.high:.3f}), "
        f"balanced {scores.balanced_accuracy:.3f}",
        f"  {f'probability at least {scores.min_probability:g}':<38} "
        f"{scores.share_answered:.3f} answered{answered}",
    ]


def _space(score: Score) -> str:
    return "all features" if score.n_components is None else f"{score.n_components} components"


def _left_out(evaluation: Evaluation) -> str:
    names = evaluation.labels_left_out
    shown = ", ".join(map(printable, names[:5])) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    if evaluation.main_split == TEST:
        return f"left out, label not in the output: {shown}"
    return f"left out, a single object: {shown}"
