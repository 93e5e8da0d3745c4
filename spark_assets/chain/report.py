"""The report stage: one page about what an output holds."""

from collections.abc import Sequence

from spark_assets.chain.messages import say_report
from spark_assets.chain.options import ReportOptions
from spark_assets.errors import FruitsError
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord
from spark_assets.report.collecting import collect_report_data
from spark_assets.report.page import render
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.files import write_bytes


def make_report(
    spark: GetSpark,
    options: ReportOptions,
    runs: Sequence[RunManifest],
    record: PCARecord | None,
) -> str:
    """Return the page about runs and their PCA.  Raises FruitsError where there is no run."""
    layout = OutputLayout(options.output)
    if not runs:
        raise FruitsError(
            f"there is no finished run in {options.output.uri} to report on; make one with: "
            "fruits run --images URI --output URI"
        )
    return render(collect_report_data(spark, layout, runs, record, max_points=options.max_points))


def write_report(layout: OutputLayout, page: str) -> None:
    """Put the page in place of an earlier one, and say where it is."""
    check_lease(layout)
    write_bytes(layout.report, page.encode())
    say_report(layout)
