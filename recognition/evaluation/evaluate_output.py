"""The evaluation of an output: read, evaluate, fit the classifier, write both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import sklearn
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from recognition.classifier.classifier_files import ClassifierRecord, classifier_files
from recognition.classifier.fit_classifier import fit_classifier, fit_varieties
from recognition.classifier.vectors import ViewsEngine, vectors_of
from recognition.current_photographs import CurrentPhotographs, read_current
from recognition.evaluation.build_evaluation import Evaluated
from recognition.evaluation.cluster_folds import objects_of
from recognition.evaluation.evaluate_features import evaluate_by_folds, evaluate_on_test_set
from recognition.evaluation.labeled_photographs import (
    EvaluationSetup,
    LabeledPhotographs,
    labeled_rows,
)
from recognition.featurize_folder import featurize_test_images, make_thumbnails
from spark_assets import __version__
from spark_assets.errors import FruitsError
from spark_assets.images.labels import groups_of
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.commit import begin, commit
from spark_assets.output.evaluation_record import Evaluation, evaluation_file
from spark_assets.output.manifest import RunManifest, latest_run, new_run_id
from spark_assets.output.output import CLASSIFIER, FEATURES, PCA_MODEL, Output
from spark_assets.output.parquet_tables import rows_by_run, table_files
from spark_assets.output.pca_model import PCARecord, load_pca_model, pca_record
from spark_assets.pca.model import parse_n_components
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """The options of ``fruits evaluate``; ``test_images`` None evaluates by folds."""

    output: Location
    test_images: Location | None
    n_folds: int
    group_by: str | None
    max_images: int
    false_unknown_rate: float
    variety_regex: str | None = None


@dataclass(frozen=True, slots=True)
class KeptEvaluation:
    """An evaluation, and the record and folder of the classifier that was fitted with it."""

    evaluation: Evaluation
    classifier: ClassifierRecord
    folder: Location


def evaluate_output(options: EvaluateOptions) -> KeptEvaluation:
    """Evaluate the features of an output, and write a classifier fitted on all of them.

    Raises FruitsError where there is no PCA, or the photographs allow no evaluation.
    """
    output = Output.open(options.output)
    latest, record = latest_run(output), pca_record(output)
    if latest is None or record is None:
        raise FruitsError(
            f"{output.uri} holds no PCA model; make one with: fruits reduce --output URI"
        )
    read = read_current(output, max_images=options.max_images)
    rows, n_copies = labeled_rows(read.labels, read.content_sha256)
    photographs = read.take(rows)
    objects = objects_of(photographs.paths, photographs.labels, options.group_by)
    labeled = LabeledPhotographs(
        vectors_of(photographs.features),
        [label for label in photographs.labels if label is not None],
        objects,
        _varieties_of(photographs.paths, options),
    )
    setup = EvaluationSetup(
        model_id=record.model_id,
        facts=latest.feature_model,
        components=parse_n_components(record.n_components_asked),
        n_folds=options.n_folds,
        group_by=options.group_by,
        n_unlabeled=len(read) - len(labeled) - n_copies,
        n_copies=n_copies,
        n_sampled=len(read),
        n_current=read.n_current,
        variety_regex=options.variety_regex,
    )
    echo(f"evaluating {len(labeled):,} of {read.n_current:,} photographs")
    # BLAS threads make small matrices ten times slower where another program is at work too.
    with threadpool_limits(1):
        if options.test_images is None:
            evaluated = evaluate_by_folds(labeled, setup)
        else:
            known = set(photographs.content_sha256)
            evaluated = _on_test_images(output, options, latest, labeled, setup, known)
        return _write(output, options, latest, record, photographs, labeled, evaluated)


def _varieties_of(paths: Sequence[str], options: EvaluateOptions) -> list[str | None]:
    """Return the variety of each photograph, nothing without an expression."""
    if options.variety_regex is None:
        return []
    return groups_of(paths, options.variety_regex, "--variety-regex")


def _on_test_images(
    output: Output,
    options: EvaluateOptions,
    latest: RunManifest,
    labeled: LabeledPhotographs,
    setup: EvaluationSetup,
    known: set[str],
) -> Evaluated:
    """Evaluate on a folder; ``known`` are the digests of the training photographs."""
    assert options.test_images is not None
    found = featurize_test_images(
        output,
        latest,
        options.test_images,
        max_images=options.max_images,
        wrap_engine=ViewsEngine,
    )
    rows, n_copies = labeled_rows(found.labels, found.content_sha256, known)
    # An object of the test set is another one than its namesake in training.
    objects = [f"test\n{name}" for name in objects_of(found.paths, found.labels, options.group_by)]
    varieties = _varieties_of(found.paths, options)
    test_set = LabeledPhotographs.of(found.features, found.labels, objects, rows, varieties)
    setup = replace(setup, n_copies=setup.n_copies + n_copies)
    return evaluate_on_test_set(labeled, test_set, setup, n_rejected=found.n_rejected)


def _write(
    output: Output,
    options: EvaluateOptions,
    latest: RunManifest,
    record: PCARecord,
    photographs: CurrentPhotographs,
    labeled: LabeledPhotographs,
    evaluated: Evaluated,
) -> KeptEvaluation:
    pca, _ = load_pca_model(output.folder(PCA_MODEL))
    evaluation = evaluated.evaluation
    thumbnails = partial(make_thumbnails, latest.images, ImageLimits(**latest.options["limits"]))
    varieties = None
    if evaluated.variety_temperature is not None:
        varieties = fit_varieties(
            labeled.vectors,
            labeled.labels,
            labeled.varieties,
            setting=evaluated.setting,
            temperature=evaluated.variety_temperature,
        )
    classifier = fit_classifier(
        pca,
        photographs.features,
        labeled.vectors,
        photographs.paths,
        labeled.labels,
        setting=evaluated.setting,
        held_out=evaluated.held_out,
        false_unknown_rate=options.false_unknown_rate,
        make_thumbnails=thumbnails,
        varieties=varieties,
    )
    best = evaluation.main_score
    kept = ClassifierRecord(
        model_id=record.model_id,
        fitted_model_id=record.fitted_model_id,
        network_sha256=record.network_sha256,
        warning=latest.feature_model.warning,
        made_at=evaluation.made_at,
        made_from=dict(rows_by_run(table_files(output, FEATURES))),
        n_photographs=len(labeled),
        n_labels=len(evaluation.labels),
        group_by=options.group_by,
        chosen_by=evaluation.chosen_by,
        penalty=evaluation.penalty,
        n_components=best.n_components,
        temperature=evaluated.held_out.temperature,
        false_unknown_rate=options.false_unknown_rate,
        unknown_threshold=classifier.unknown_detector.threshold,
        accuracy=best.accuracy,
        accuracy_low=best.low,
        accuracy_high=best.high,
        versions={"fruits": __version__, "scikit-learn": sklearn.__version__},
        sha256={},
        variety_regex=options.variety_regex,
        n_varieties=0 if varieties is None else len(varieties.known),
        variety_temperature=evaluated.variety_temperature,
        variety_min_probability=None if varieties is None else varieties.min_probability,
    )
    files = classifier_files(classifier, kept) | evaluation_file(evaluation)
    with begin(output.location, new_run_id(output)) as change:
        change.put_folder(CLASSIFIER, files)
        commit(change)
    return KeptEvaluation(evaluation, kept, output.child(CLASSIFIER))
