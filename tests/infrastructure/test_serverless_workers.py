"""Workers of EMR Serverless: whatever the maximum, they fit it and the chain fits them."""

import pytest

from cdk_app.cluster.spark_settings import spark_defaults
from cdk_app.instances import InstanceType
from cdk_app.serverless.worker_sizes import PYTHON, plan_workers, serverless_defaults
from operations import wheelhouse

# The least and the most GB that EMR Serverless gives a worker of so many vCPUs.
OFFERED_GB = {1: (2, 8), 2: (4, 16), 4: (8, 30)}
JVM_MIB = 384
MEASURED_MIB, LARGEST_IMAGE_MIB = 212, 300

every_maximum = pytest.mark.parametrize("max_vcpus", [2, 4, 6, 8, 10, 12, 14, 16, 398, 400])


def mib(setting):
    assert setting.endswith("m")
    return int(setting[:-1])


@every_maximum
def test_driver_and_executors_use_the_maximum_and_no_more(max_vcpus):
    workers = plan_workers(max_vcpus)
    assert workers.n_executors >= 1
    assert (workers.n_executors + 1) * workers.n_vcpus == max_vcpus
    assert workers.maximum_capacity["cpu"] == f"{max_vcpus} vCPU"
    assert workers.maximum_capacity["memory"] == f"{max_vcpus * 4} GB"
    settings = serverless_defaults(workers)
    assert settings["spark.dynamicAllocation.maxExecutors"] == str(workers.n_executors)


@every_maximum
def test_a_worker_is_one_that_emr_serverless_offers_with_its_overhead(max_vcpus):
    workers = plan_workers(max_vcpus)
    settings = serverless_defaults(workers)
    least, most = OFFERED_GB[workers.n_vcpus]
    assert least <= workers.memory_gb <= most
    factor = float(settings["spark.emr-serverless.memoryOverheadFactor"])
    for process in ("driver", "executor"):
        assert settings[f"spark.{process}.cores"] == str(workers.n_vcpus)
        container = mib(settings[f"spark.{process}.memory"]) * (1 + factor)
        assert workers.memory_gb - 1 < container / 1024 <= workers.memory_gb


@every_maximum
def test_python_has_room_beside_the_jvm_and_the_driver_for_what_it_collects(max_vcpus):
    workers = plan_workers(max_vcpus)
    settings = serverless_defaults(workers)
    heap = mib(settings["spark.executor.memory"])
    beside = heap * float(settings["spark.emr-serverless.memoryOverheadFactor"]) - JVM_MIB
    assert beside / workers.n_vcpus >= MEASURED_MIB + LARGEST_IMAGE_MIB
    assert mib(settings["spark.driver.maxResultSize"]) <= mib(settings["spark.driver.memory"])


def test_what_holds_on_a_cluster_holds_here_but_for_sizes_and_places():
    node = InstanceType.parse("m7g.xlarge")
    cluster = spark_defaults(primary=node, worker=node, n_worker_nodes=3)
    serverless = serverless_defaults(plan_workers(16))
    common = {name for name in cluster if cluster[name] == serverless.get(name)}
    assert common >= {
        "spark.task.cpus",
        "spark.task.maxFailures",
        "spark.executorEnv.OMP_NUM_THREADS",
        "spark.executorEnv.OPENBLAS_NUM_THREADS",
        "spark.hadoop.fs.s3a.endpoint.region",
        "spark.default.parallelism",
    }


def test_driver_and_executors_run_the_python_of_the_wheels_and_find_the_libraries():
    settings = serverless_defaults(plan_workers(16))
    assert f"python{wheelhouse._PYTHON}" == PYTHON
    for process in ("emr-serverless.driverEnv", "executorEnv"):
        assert settings[f"spark.{process}.PYSPARK_PYTHON"] == PYTHON
        assert settings[f"spark.{process}.PYTHONPATH"] == "./libraries"
    assert settings["spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON"] == PYTHON
