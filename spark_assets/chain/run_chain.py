"""The main path, from photographs to the report: featurize, reduce, report.

Each stage is a module of this folder and ends in a commit, so that it stays done when a later one
fails; what they leave behind is in `spark_assets.output`.
"""

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.make_report import report
from spark_assets.chain.options import FeaturizeOptions, ReduceOptions, ReportOptions
from spark_assets.chain.plan import NothingNew
from spark_assets.chain.stage_messages import (
    say_featurized,
    say_nothing_to_reduce,
    say_reduced,
    say_report,
)
from spark_assets.errors import ExitCode
from spark_assets.output.output import FEATURES, REPORT, Output
from spark_assets.output.parquet_tables import table_files
from spark_assets.runtime.spark_context import GetSpark


def run_chain(
    spark: GetSpark,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Do the whole chain; return whether too many images were rejected."""
    result = featurize(spark, options)
    code = say_featurized(result, options)
    output = Output.open(options.output)
    is_new = not isinstance(result, NothingNew)
    if table_files(output, FEATURES):
        reduction = reduce_features(spark, to_reduce)
        say_reduced(reduction)
        is_new |= reduction.has_work_done
    else:
        say_nothing_to_reduce()
    if is_new or output.read(REPORT) is None:
        report(spark, to_report)
    else:
        say_report(output)
    return code
