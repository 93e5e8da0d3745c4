"""How near the accuracy of folds is to that on a test set, by what the folds leave out."""

from dataclasses import replace

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.evaluation.cluster_folds import clusters_of
from recognition.evaluation.evaluate_features import evaluate_by_folds
from recognition.evaluation.labeled_photographs import LabeledPhotographs
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.evaluation_record import PHOTOGRAPHS, Score
from studies.accuracy_2026_11.measured import N_FOLDS, evaluated_on, setup_for
from studies.accuracy_2026_11.sets import Library, Split, phones, varieties

HEADER = (
    "training", "alpha", "px", "single photographs left out", "clusters left out",
    "varieties left out", "the test set",
)  # fmt: skip


def both_splits(library: Library) -> list[Split]:
    """Return the splits whose test set is from another place."""
    return [varieties(library), phones(library)]


def clusters(library: Library) -> list[list[str]]:
    """Return the clusters of the training photographs of each split, for all networks to leave out.

    Of its own features each network has other clusters, and the better they are, the harder.
    """
    trainings = [split.train.for_training() for split in both_splits(library)]
    return [clusters_of(each.vectors, each.labels, N_FOLDS) for each in trainings]


def rows_of(library: Library, facts: FeatureModelFacts, known: list[list[str]]) -> list[list[str]]:
    """Return the accuracy of the chosen setting by each kind of fold, and on the test set."""
    rows = []
    for split, names in zip(both_splits(library), known, strict=True):
        train = split.train.for_training()
        by_cluster, singles = _scores(replace(train, objects=names), facts)
        by_object = None if split.group_by is None else _scores(train, facts)[0]
        test = split.test.for_test()
        of_test = evaluated_on(train, test, facts, group_by=split.group_by).evaluation.main_score
        cells = [_cell(score) for score in (singles, by_cluster, by_object, of_test)]
        rows.append([split.name, str(facts.alpha), str(facts.image_size_px), *cells])
    return rows


def _scores(train: LabeledPhotographs, facts: FeatureModelFacts) -> tuple[Score, Score]:
    """Return the scores with the objects left out, and with single photographs left out."""
    with threadpool_limits(1):
        setup = setup_for(train, facts, group_by="object")
        evaluation = evaluate_by_folds(train, setup).evaluation
    singles = next(score for score in evaluation.scores if score.split == PHOTOGRAPHS)
    return evaluation.main_score, singles


def _cell(score: Score | None) -> str:
    if score is None:
        return "-"
    return f"{score.accuracy:.3f} ({score.low:.3f} to {score.high:.3f})"
