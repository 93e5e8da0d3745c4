"""What the report collects beside its tables: the receipt of the cluster, if there is one."""

import random
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from spark_assets.output.layout import OutputLayout
from spark_assets.output.receipts import write_receipt
from spark_assets.pca.sample import path_hash
from spark_assets.report.collecting import _evenly_by_label, collect_report_data
from tests.made_report import made_receipt
from tests.spark.runs import options_for, put, run, save


def test_the_newest_receipt_of_the_output_is_collected(spark, tmp_path, seeded_model):
    put(tmp_path, "images/apple/1.png")
    options = options_for(tmp_path, save(seeded_model, tmp_path / "model"))
    runs, layout = [run(spark, options)], OutputLayout(options.output)
    without = collect_report_data(lambda: spark.sparkContext, layout, runs, None, max_points=10)
    assert without.receipt is None
    assert not without.is_in_s3
    old = replace(made_receipt(), cluster_id="j-1", made_at="2025-01-01T00:00:00+00:00")
    for receipt in (made_receipt(), old):
        write_receipt(layout, receipt)
    found = collect_report_data(lambda: spark.sparkContext, layout, runs, None, max_points=10)
    assert found.receipt == made_receipt()


@pytest.mark.parametrize("seed", range(4))
def test_points_are_drawn_evenly_over_the_labels_by_the_hashes_of_their_paths(seed):
    draw = random.Random(seed)
    labels = draw.choices(["apple", "pear", "kiwi", "\N{SNOWMAN}", None], [9, 5, 1, 2, 3], k=60)
    rows = [(f"{number}.jpg", label) for number, label in enumerate(labels)]
    n_drawn: Counter[str | None] = Counter()
    ranked = []
    for path, label in sorted(rows, key=lambda row: path_hash(row[0])):
        n_drawn[label] += 1
        ranked.append((n_drawn[label], label or "", path))
    paths, names = zip(*rows, strict=True)
    table = pa.table({"path": pa.array(paths), "label": pa.array(names, pa.string())})
    for n_points in (1, 2, 7, 20, 59):
        drawn = _evenly_by_label(table, n_points)["path"].to_pylist()
        assert drawn == [path for *_, path in sorted(ranked)[:n_points]]
    assert _evenly_by_label(table, 60).equals(table)
    assert _evenly_by_label(table.slice(0, 0), 5).num_rows == 0
