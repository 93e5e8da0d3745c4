"""What the report collects beside its tables: the receipt of the cluster, if there is one."""

from dataclasses import replace

from spark_assets.output.layout import OutputLayout
from spark_assets.output.receipts import write_receipt
from spark_assets.report.collecting import collect_report_data
from tests.made_report import made_receipt
from tests.spark.runs import options_for, put, run, save


def test_the_newest_receipt_of_the_output_is_collected(spark, tmp_path, seeded_model):
    put(tmp_path, "images/apple/1.png")
    options = options_for(tmp_path, save(seeded_model, tmp_path / "model"))
    runs, layout = [run(spark, options)], OutputLayout(options.output)
    without = collect_report_data(lambda: spark, layout, runs, None, max_points=10)
    assert without.receipt is None
    assert not without.is_in_s3
    old = replace(made_receipt(), cluster_id="j-1", made_at="2025-01-01T00:00:00+00:00")
    for receipt in (made_receipt(), old):
        write_receipt(layout, receipt)
    found = collect_report_data(lambda: spark, layout, runs, None, max_points=10)
    assert found.receipt == made_receipt()
