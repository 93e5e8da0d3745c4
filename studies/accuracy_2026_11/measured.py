"""What the product makes of a split: its evaluation and its classifier, by its own functions."""

from dataclasses import dataclass

import numpy as np
from numpy import float64
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.classifier.fit_classifier import fit_classifier
from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.evaluation.build_evaluation import Evaluated
from recognition.evaluation.evaluate_features import evaluate_on_test_set
from recognition.evaluation.labeled_photographs import EvaluationSetup, LabeledPhotographs
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.pca.model import fit
from spark_assets.pca.statistics import PCAStatistics
from studies.accuracy_2026_11.features import Featurized
from studies.accuracy_2026_11.sets import Split

SHARE_OF_VARIANCE = 0.95
FALSE_UNKNOWN_RATE = 0.05
N_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The evaluation of a split, and the classifier that is fitted with it."""

    split: Split
    evaluated: Evaluated
    classifier: FruitClassifier

    def known_scores(self, photographs: Featurized) -> NDArray[float64]:
        """Return how much photographs are like known fruit, (n,)."""
        vectors = photographs.views()
        return self.classifier.unknown_detector.scores(
            vectors, self.classifier.linear.logits(vectors)
        )

    def unknown_rate(self, photographs: Featurized) -> float:
        """Return the share of photographs that the classifier calls unknown."""
        return float(
            np.mean(self.known_scores(photographs) < self.classifier.unknown_detector.threshold)
        )


def setup_for(
    train: LabeledPhotographs, facts: FeatureModelFacts, *, group_by: str | None = None
) -> EvaluationSetup:
    """Return how ``fruits evaluate`` evaluates photographs; None leaves clusters of them out."""
    return EvaluationSetup(
        model_id="benchmark",
        facts=facts,
        components=SHARE_OF_VARIANCE,
        n_folds=N_FOLDS,
        group_by=group_by,
        n_unlabeled=0,
        n_copies=0,
        n_sampled=len(train),
        n_current=len(train),
    )


def evaluated_on(
    train: LabeledPhotographs,
    test: LabeledPhotographs,
    facts: FeatureModelFacts,
    *,
    group_by: str | None = None,
) -> Evaluated:
    """Evaluate as ``fruits evaluate --test-images`` does, settings chosen by folds of groups."""
    setup = setup_for(train, facts, group_by=group_by)
    with threadpool_limits(1):
        return evaluate_on_test_set(train, test, setup, n_rejected=0)


def measure(split: Split, facts: FeatureModelFacts) -> Measured:
    """Evaluate a split, and fit the classifier that ``fruits evaluate`` would keep."""
    train = split.train.for_training()
    evaluated = evaluated_on(train, split.test.for_test(), facts, group_by=split.group_by)
    with threadpool_limits(1):
        classifier = fit_classifier(
            fit(PCAStatistics.from_features(split.train.plain), SHARE_OF_VARIANCE),
            split.train.plain,
            train.vectors,
            split.train.paths,
            train.labels,
            setting=evaluated.setting,
            held_out=evaluated.held_out,
            false_unknown_rate=FALSE_UNKNOWN_RATE,
            make_thumbnails=lambda paths: [None] * len(paths),
        )
    return Measured(split, evaluated, classifier)
