"""The report stage: one page about an output."""

from spark_assets.chain.options import ReportOptions
from spark_assets.chain.stage_messages import log_report
from spark_assets.errors import FruitsError
from spark_assets.output.commit import begin, commit
from spark_assets.output.manifest import latest_run, new_run_id
from spark_assets.output.output import REPORT, Output
from spark_assets.report.collect_report_data import collect_report_data
from spark_assets.report.html_page import render
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.text.languages import language


def make_report(spark: GetSpark, output: Output, max_points: int, language_code: str) -> str:
    """Return the page about an output in a language.  Raises FruitsError where there is no run."""
    latest = latest_run(output)
    if latest is None:
        raise FruitsError(
            f"there is no finished run in {output.uri} to report on; make one with: "
            "fruits run --images URI --output URI"
        )
    data = collect_report_data(spark, output, latest, max_points=max_points)
    return render(data, language(language_code, "spark_assets.report"))


def language_of_report(page: bytes) -> str:
    """Return the language of a page that `make_report` made."""
    return "fr" if b'<html lang="fr">' in page else "en"


def report(spark: GetSpark, options: ReportOptions) -> None:
    """Replace the page of an output, and print where it is."""
    output = Output.open(options.output)
    with begin(output.location, new_run_id(output)) as change:
        page = make_report(spark, output, options.max_points, options.language)
        change.put(REPORT, page.encode())
        commit(change)
    log_report(output)
