"""The evaluation of an output, on Spark: read, kept, registered, and gone with what is erased."""

import dataclasses
from pathlib import Path

import pytest

from recognition.classifier.identifier import FruitIdentifier, newest_classifier
from recognition.current import read_current
from recognition.evaluation.of_output import EvaluateOptions, evaluate_output, newest_record
from spark_assets.chain.options import ReduceOptions, ReportOptions
from spark_assets.chain.run import run_chain
from spark_assets.erasure.run import EraseOptions, erase
from spark_assets.erasure.selection import Asked
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.output.evaluation import read_evaluation
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.pca_models import pca_records
from tests.spark.runs import options_for, put, save

N_PHOTOGRAPHS = 24


@pytest.fixture
def options(tmp_path, seeded_model):
    for index in range(N_PHOTOGRAPHS):
        fruit = ("apple", "pear")[index % 2]
        put(tmp_path / "images", f"{fruit}/{fruit} {index // 8}/{index}.png", seed=index)
    put(tmp_path / "images", "no label.png", seed=99)
    return options_for(tmp_path, save(seeded_model, tmp_path / "model"))


def chain(spark, options) -> OutputLayout:
    options = dataclasses.replace(options, labels=dataclasses.replace(options.labels, level=2))
    to_reduce = ReduceOptions(options.output, 4, None, False, verbose=False)
    to_report = ReportOptions(options.output, 100, verbose=False)
    assert run_chain(lambda: spark.sparkContext, options, to_reduce, to_report) is ExitCode.DONE
    return OutputLayout(options.output)


def evaluate(layout, **changes):
    asked = EvaluateOptions(
        output=layout.output,
        test_images=None,
        n_folds=3,
        group_by="^[^/]+/([^/]+)/",
        max_images=1000,
        refusal_rate=0.05,
    )
    runs = visible_runs(layout)
    record = newest_record(pca_records(layout, [run.run_id for run in runs]), layout.output)
    return evaluate_output(dataclasses.replace(asked, **changes), runs, record)


def test_an_evaluation_is_kept_with_a_classifier_and_goes_with_a_photograph(
    spark, options, tmp_path
):
    layout = chain(spark, options)
    kept = evaluate(layout)
    evaluation = kept.evaluation
    assert (evaluation.n_photographs, evaluation.n_objects) == (N_PHOTOGRAPHS, 6)
    assert (evaluation.n_unlabeled, evaluation.n_current) == (1, N_PHOTOGRAPHS + 1)
    assert "random numbers" in (evaluation.warning or "")
    assert read_evaluation(layout, evaluation.model_id) == evaluation

    identifier = FruitIdentifier.from_output(layout.output)
    first = tmp_path / "images" / "apple" / "apple 0" / "0.png"
    answer = identifier.identify(first.read_bytes())
    assert answer.neighbors[0].path == "apple/apple 0/0.png"
    assert answer.neighbors[0].thumbnail is not None

    erasing = EraseOptions(
        output=layout.output,
        sources=(),
        asked=Asked(paths=frozenset({"apple/apple 0/0.png"})),
        with_copies=False,
        is_dry_run=False,
        outside_reach=(),
        max_points=100,
        verbose=False,
    )
    assert erase(erasing, lambda: spark.sparkContext) is ExitCode.DONE
    with pytest.raises(FruitsError, match="holds no classifier"):
        newest_classifier(layout)
    assert not list(Path(layout.output.base).glob("pca_model/*/classifier/*"))


def test_a_sample_is_stated_and_the_same_every_time(spark, options):
    layout = chain(spark, options)
    runs = visible_runs(layout)
    some, again = (read_current(layout, runs, max_images=10) for _ in range(2))
    assert (len(some), some.n_current, some.is_sample) == (10, N_PHOTOGRAPHS + 1, True)
    assert some.paths == again.paths == sorted(some.paths)
    everything = read_current(layout, runs)
    rows = [everything.paths.index(path) for path in some.paths]
    assert (everything.take(rows).features == some.features).all()
    assert set(some.paths) < set(everything.paths)


def test_an_output_without_a_model_says_what_to_do(options):
    with pytest.raises(FruitsError, match="holds no PCA model; make one with: fruits reduce"):
        newest_record([], options.output)
