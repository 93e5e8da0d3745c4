"""The command ``fruits evaluate``: the accuracy of a classifier on the features."""

import argparse

from recognition.current_photographs import MAX_IMAGES
from recognition.evaluation.evaluate_output import EvaluateOptions, evaluate_output
from recognition.evaluation.evaluation_text import print_evaluation
from spark_assets.chain.make_report import report
from spark_assets.chain.options import ReportOptions
from spark_assets.errors import ExitCode
from spark_assets.jobs.argument_types import positive_int, share
from spark_assets.jobs.arguments import add_common, add_report, report_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on
from spark_assets.storage.locations import parse_location

_DEFAULT_FOLDS = 5
_DEFAULT_FALSE_UNKNOWN_RATE = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_common(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--test-images",
        metavar="URI",
        help="test set, with the label folders of the output, instead of cross-validation",
    )
    how.add_argument(
        "--folds",
        type=_n_folds,
        default=_DEFAULT_FOLDS,
        metavar="K",
        help="number of folds of the cross-validation (default %(default)s)",
    )
    parser.add_argument(
        "--group-by",
        metavar="EXPRESSION",
        help="regular expression (RE2) on the path; its first group, or the match, is the object "
        "(group of the cross-validation)",
    )
    parser.add_argument(
        "--variety-regex",
        metavar="EXPRESSION",
        help="regular expression (RE2) on the path; its first group, or the match, is the variety "
        "within the label",
    )
    parser.add_argument(
        "--max-images",
        type=positive_int,
        default=MAX_IMAGES,
        metavar="N",
        help="size of the random sample of a larger output (default %(default)s)",
    )
    parser.add_argument(
        "--false-unknown-rate",
        type=share,
        default=_DEFAULT_FALSE_UNKNOWN_RATE,
        metavar="RATE",
        help="fraction of known fruit to predict as unknown (default %(default)s)",
    )
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Evaluate, write the classifier, and render the report."""
    options = EvaluateOptions(
        output=parse_location(parsed.output),
        test_images=None if parsed.test_images is None else parse_location(parsed.test_images),
        n_folds=parsed.folds,
        group_by=parsed.group_by,
        max_images=parsed.max_images,
        false_unknown_rate=parsed.false_unknown_rate,
        variety_regex=parsed.variety_regex,
    )
    to_report: ReportOptions = report_options(parsed)
    with spark_on(options.output, "fruits evaluate", parsed) as spark:
        print_evaluation(evaluate_output(options))
        report(spark, to_report)
    return ExitCode.DONE


def _n_folds(text: str) -> int:
    n_folds = positive_int(text)
    if n_folds < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; give 2 or more")
    return n_folds


COMMAND = Command(add_arguments, run, Kind.SPARK)
