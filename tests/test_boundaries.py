"""Rules of the architecture that no tool can read from the imports alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
CDK = {"aws_cdk", "constructs", "cdk_nag"}
ROOT = Path(__file__).resolve().parents[1]
PURE = [
    "recognition.commands.serve",
    "recognition.service.server",
    "operations.aws.emptying",
    "operations.aws.following",
    "operations.aws.step_logs",
    "operations.aws.cluster_nodes",
    "operations.aws.max_cost",
    "operations.aws.submit_steps",
    "operations.aws.uploading",
    "recognition.audit.label_issues",
    "recognition.audit.near_duplicates",
    "recognition.audit.quality",
    "recognition.audit.reduce_features",
    "recognition.audit.splits",
    "spark_assets.images.decoding",
    "spark_assets.images.image_list",
    "spark_assets.images.listing",
    "spark_assets.images.reading",
    "spark_assets.chain.image_plan",
    "spark_assets.erasure.plan_erasure",
    "spark_assets.features.engines",
    "spark_assets.features.extraction",
    "spark_assets.features.in_threads",
    "spark_assets.features.feature_model",
    "spark_assets.features.network_cache",
    "spark_assets.output.commit",
    "spark_assets.output.parquet_tables",
    "spark_assets.pca.model",
    "spark_assets.pca.statistics",
    "spark_assets.report.pca_plots",
    "spark_assets.report.html_page",
    "spark_assets.storage.schemas",
]


def modules_after_importing(*names: str) -> set[str]:
    program = f"import sys, {', '.join(names)}; print(*sorted(sys.modules))"
    # aws_cdk starts Node, which lies beside Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
    )
    return set(done.stdout.split())


def modules_in(package: str) -> list[str]:
    folder = ROOT.joinpath(*package.split("."))
    files = (path.relative_to(ROOT).with_suffix("") for path in folder.rglob("*.py"))
    return sorted(".".join(file.parts).removesuffix(".__init__") for file in files)


def test_help_waits_for_no_library():
    """Half a second of Python is what a person notices."""
    imported = modules_after_importing("operations.cli")
    assert not imported & {"pyspark", "boto3", "pyarrow", "numpy", "tensorflow"}


def test_pure_modules_import_no_spark_and_no_tensorflow():
    assert not modules_after_importing(*PURE) & {"pyspark", "tensorflow", "keras"}


def test_the_sample_photographs_are_drawn_with_numpy_and_pillow_alone():
    imported = modules_after_importing(*modules_in("sample_photographs"))
    assert "sample_photographs.calibration_images" in imported
    at_start = {
        name.partition(".")[0] for name in modules_after_importing("numpy.random", "PIL.Image")
    }
    tops = {name.partition(".")[0] for name in imported} - at_start
    assert tops - set(sys.stdlib_module_names) == {"sample_photographs"}


def test_the_jobs_on_a_cluster_need_no_sample_photographs_and_no_prices():
    jobs = [f"spark_assets.jobs.{job}" for job in ("featurize", "reduce", "report")]
    imported = modules_after_importing(*jobs)
    assert "spark_assets.report.html_page" in imported
    assert not any(name.startswith(("sample_photographs", "operations")) for name in imported)


def test_the_command_starts_without_tensorflow():
    assert "tensorflow" not in modules_after_importing("operations.cli")


def test_what_a_spark_step_needs_imports_neither_the_cdk_nor_what_an_operator_does():
    imported = modules_after_importing(*modules_in("spark_assets"))
    assert "spark_assets.jobs.featurize" in imported
    assert not {name.partition(".")[0] for name in imported} & {"cdk_app", "operations", *CDK}


def test_the_clouds_making_imports_nothing_of_the_two_others():
    imported = modules_after_importing(*modules_in("cdk_app"))
    assert "cdk_app.app_stacks" in imported
    tops = {name.partition(".")[0] for name in imported}
    assert not tops & {"spark_assets", "operations", "sample_photographs"}
    assert not tops & {"pyspark", "numpy", "pyarrow", "pandas", "tensorflow"}


def test_what_an_operator_does_starts_without_the_cdk():
    imported = modules_after_importing(*modules_in("operations"))
    assert "operations.cli" in imported
    assert not {name.partition(".")[0] for name in imported} & CDK


def test_the_costs_are_counted_without_a_library():
    imported = modules_after_importing(*modules_in("operations.costs"))
    assert "operations.costs.run_costs" in imported
    tops = {name.partition(".")[0] for name in imported} - {"__main__"}
    # What Python's own start-up brings, such as the finders of editable installs.
    at_start = {name.partition(".")[0] for name in modules_after_importing("sys")}
    assert tops - at_start - set(sys.stdlib_module_names) == {
        "cdk_app",
        "operations",
        "spark_assets",
    }
