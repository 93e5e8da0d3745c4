"""The main path, from photographs to the report: featurize, reduce, report.

Each stage ends in a commit, and stays done where a later one fails.
"""

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.image_plan import NoChange
from spark_assets.chain.make_report import report
from spark_assets.chain.options import FeaturizeOptions, ReduceOptions, ReportOptions
from spark_assets.chain.stage_messages import (
    log_featurized,
    log_nothing_to_reduce,
    log_reduction,
    log_report,
)
from spark_assets.errors import ExitCode
from spark_assets.output.output import FEATURES, REPORT, Output
from spark_assets.output.parquet_tables import table_files
from spark_assets.runtime.spark_context import GetSpark


def run_chain(
    spark: GetSpark,
    to_featurize: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Run the three stages; the report is made anew where one of the first two changed something.

    Returns the exit code of the featurize stage.
    """
    result = featurize(spark, to_featurize)
    code = log_featurized(result, to_featurize)
    output = Output.open(to_featurize.output)
    has_changed = not isinstance(result, NoChange)
    if table_files(output, FEATURES):
        reduction = reduce_features(spark, to_reduce)
        log_reduction(reduction)
        has_changed |= reduction.has_changed
    else:
        log_nothing_to_reduce()
    if has_changed or output.read(REPORT) is None:
        report(spark, to_report)
    else:
        log_report(output)
    return code
