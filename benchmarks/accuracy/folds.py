"""How near the accuracy of folds is to that on a test set, by what the folds leave out."""

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.accuracy.measured import evaluated_on, setup_for
from benchmarks.accuracy.sets import Library, phones, varieties
from recognition.evaluation.evaluate import evaluate_by_folds
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.evaluation import CLUSTERS, OBJECTS, PHOTOGRAPHS, Score

HEADER = (
    "alpha", "px", "training", "single photographs left out", "clusters left out",
    "varieties left out", "the test set",
)  # fmt: skip


def rows_of(library: Library, facts: FeatureModelFacts) -> list[list[str]]:
    """Return the accuracy of the chosen setting by each kind of fold, and on the test set."""
    rows = []
    for split in (varieties(library), phones(library)):
        train = split.train.for_training()
        found: dict[str, Score] = {}
        for group_by in dict.fromkeys((None, split.group_by)):
            with threadpool_limits(1):
                setup = setup_for(train, facts, group_by=group_by)
                scores = evaluate_by_folds(train, setup).evaluation.scores
            for score in scores:
                found.setdefault(score.split, score)
        test = split.test.for_test()
        of_test = evaluated_on(train, test, facts, group_by=split.group_by)
        by_split = [found.get(name) for name in (PHOTOGRAPHS, CLUSTERS, OBJECTS)]
        cells = [_cell(score) for score in (*by_split, of_test.evaluation.main_score)]
        rows.append([str(facts.alpha), str(facts.image_size_px), split.name, *cells])
    return rows


def _cell(score: Score | None) -> str:
    return "-" if score is None else f"{score.accuracy:.3f} ({score.low:.3f} to {score.high:.3f})"
