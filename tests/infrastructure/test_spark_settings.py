"""Spark's settings fit the nodes, whichever of the allowed types they are."""

import pytest

from cdk_app.cluster.definition import define_cluster
from cdk_app.cluster.spark_settings import spark_defaults, split_memory, yarn_site
from cdk_app.config import PipelineConfig
from cdk_app.instances import InstanceType
from tests.infrastructure.context import ROOT, default_context
from tests.operations.costs.test_instances import NAMES

TYPES = [InstanceType.parse(name) for name in NAMES]
GIB = 1024
# The application master of a client has 512 MiB of heap, and 384 beside it.
MASTER_MIB = 896


def mib(setting: str) -> int:
    assert setting.endswith("m")
    return int(setting[:-1])


def settings_of(node, n_worker_nodes=3):
    return spark_defaults(primary=node, worker=node, n_worker_nodes=n_worker_nodes)


def test_a_node_runs_one_task_for_each_vcpu():
    for node in TYPES:
        split = split_memory(node)
        assert split.n_executors * split.n_cores == node.n_vcpus
        assert settings_of(node)["spark.task.cpus"] == "1"


def test_the_executors_fill_all_nodes():
    for node in TYPES:
        settings = settings_of(node, n_worker_nodes=5)
        n_tasks = int(settings["spark.executor.instances"]) * int(settings["spark.executor.cores"])
        assert n_tasks == 5 * node.n_vcpus == int(settings["spark.default.parallelism"])
        assert settings["spark.dynamicAllocation.enabled"] == "false", node.name


def test_the_executors_and_the_application_master_fit_into_the_memory_of_yarn():
    for node in TYPES:
        settings, yarn = settings_of(node), yarn_site(node)
        container = mib(settings["spark.executor.memory"])
        container += mib(settings["spark.executor.memoryOverhead"])
        step = int(yarn["yarn.scheduler.minimum-allocation-mb"])
        granted, granted_master = (-(-asked // step) * step for asked in (container, MASTER_MIB))
        yarn_mib = int(yarn["yarn.nodemanager.resource.memory-mb"])
        assert split_memory(node).n_executors * granted + granted_master <= yarn_mib, node.name
        assert granted <= int(yarn["yarn.scheduler.maximum-allocation-mb"]), node.name


@pytest.mark.parametrize(
    ("gib", "yarn_mib"),
    # What EMR's own table says of m4.large, .xlarge, .2xlarge, .4xlarge and .16xlarge.
    [(8, 6144), (16, 12288), (32, 24576), (64, 57344), (256, 253952)],
)
def test_yarn_gets_what_emr_gives_it_on_a_node_of_so_much_memory(gib, yarn_mib):
    settings = [yarn_site(node) for node in TYPES if node.memory_mib == gib * GIB]
    assert {each["yarn.nodemanager.resource.memory-mb"] for each in settings} == {str(yarn_mib)}


def test_an_executor_has_a_heap_worth_having():
    for node in TYPES:
        assert mib(settings_of(node)["spark.executor.memory"]) >= GIB


def test_each_python_worker_has_room_for_the_largest_image():
    for node in TYPES:
        beside_the_jvm = mib(settings_of(node)["spark.executor.memoryOverhead"]) - 384
        measured, largest_image = 212, 300
        assert beside_the_jvm / split_memory(node).n_cores >= measured + largest_image


def test_the_python_driver_has_room_beside_its_jvm():
    for node in TYPES:
        settings = settings_of(node)
        heap = mib(settings["spark.driver.memory"])
        assert GIB <= heap <= node.memory_mib / 2
        assert mib(settings["spark.driver.maxResultSize"]) <= heap, node.name


def test_spark_fits_every_type_that_may_stand_in():
    for node in TYPES:
        assert all(settings_of(node) == settings_of(other) for other in node.equivalents)
        assert all(yarn_site(node) == yarn_site(other) for other in node.equivalents)


def test_each_task_has_one_thread():
    for node in TYPES:
        settings = settings_of(node)
        for library in ("OMP", "OPENBLAS"):
            assert settings[f"spark.executorEnv.{library}_NUM_THREADS"] == "1", node.name


def test_every_process_of_a_run_asks_the_metadata_service_ten_times():
    """The driver runs in the environment of spark-env, the others in what spark-defaults says."""
    config = PipelineConfig.from_context(default_context())
    made = define_cluster(config, name="n", bootstrap_uri="s3://b/k", bootstrap_arguments=())
    exported = next(each.properties for each in made.configurations if each.within == "spark-env")
    settings = settings_of(TYPES[0])
    for name, value in (("NUM_ATTEMPTS", "10"), ("TIMEOUT", "5")):
        variable = f"AWS_METADATA_SERVICE_{name}"
        assert exported[variable] == value
        assert settings[f"spark.executorEnv.{variable}"] == value
        assert settings[f"spark.yarn.appMasterEnv.{variable}"] == value
    script = (ROOT / "spark_assets/node/bootstrap.sh").read_text(encoding="utf-8")
    assert "AWS_METADATA_SERVICE_NUM_ATTEMPTS=10 AWS_METADATA_SERVICE_TIMEOUT=5" in script


def test_driver_executors_and_application_master_run_the_same_python():
    settings = settings_of(TYPES[0])
    pythons = {value for key, value in settings.items() if "python" in key.lower()}
    assert pythons == {"/opt/fruits/bin/python"}


def test_all_settings_are_text_as_emr_wants_them():
    settings = settings_of(TYPES[0]) | yarn_site(TYPES[0])
    assert all(isinstance(value, str) for value in settings.values())
