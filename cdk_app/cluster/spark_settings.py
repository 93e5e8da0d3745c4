"""Spark's settings, derived from the instance types: pure, and the same for every cluster.

`COMMON_SETTINGS` hold on EMR Serverless too.

A node of the cluster runs as many tasks as it has vCPUs, each with one thread in the network and
in BLAS. Its memory is split between YARN and the system, then between the JVM of an executor and
its Python workers, which hold the network and the images.
"""

from dataclasses import dataclass

from cdk_app.config import REGION
from cdk_app.instances import InstanceType

PYTHON = "/opt/fruits/bin/python"
# The nodes have their credentials from the metadata service, which boto3 asks once, for a second:
# too little where all workers of a cluster start at a time.
METADATA_RETRIES = {
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "10",
    "AWS_METADATA_SERVICE_TIMEOUT": "5",
}

# 64 partial PCA statistics of 13 MB meet in the Python driver, and as much in its JVM.
_DRIVER_RESULT_MIB = 2048

# Whatever runs the executors, and however large they are.
COMMON_SETTINGS = {
    "spark.task.cpus": "1",
    # A Spot node that is taken back costs its tasks, which run again elsewhere.
    "spark.task.maxFailures": "8",
    "spark.driver.maxResultSize": f"{_DRIVER_RESULT_MIB}m",
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    # spark-submit fetches script and package through S3A, which without a region asks for that
    # of the bucket at an address of S3 that the gateway endpoint does not lead to.
    "spark.hadoop.fs.s3a.endpoint.region": REGION,
}

# YARN counts memory alone: an executor has all cores of a node, and the application master needs a
# place beside one.
CAPACITY_SCHEDULER = {
    "yarn.scheduler.capacity.resource-calculator": (
        "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator"
    )
}

# Above this, the tasks of one JVM wait for each other's garbage collection.
_MAX_CORES_PER_EXECUTOR = 8
# A worker was measured at 212 MiB with photographs of 12 megapixels; one image at the limit of
# 100 megapixels takes 300 MiB more.
_PYTHON_MIB_PER_TASK = 768
# What the JVM takes beside its heap.
_JVM_OVERHEAD_MIB = 384
# In client mode the application master is a container too, and is given one by any node.
_APPLICATION_MASTER_MIB = 896
# What EMR itself leaves to the system, HDFS and YARN's own processes: a quarter, in these limits
# (EMR Release Guide, "Task configuration": 6144 of 8 GiB, 12288 of 16, 24576 of 32, 57344 of 64).
_MIN_SYSTEM_MIB, _MAX_SYSTEM_MIB = 2048, 8192
# YARN rounds each container up to a multiple of this. Its own step of 1 GiB would make those of an
# executor and the application master too large for one node.
_YARN_STEP_MIB = 32


@dataclass(frozen=True, slots=True)
class MemorySplit:
    """How the memory of one worker node is used, in MiB.

    ``yarn_mib`` is what YARN may hand out; each of the ``n_executors`` has ``heap_mib`` for its JVM
    and ``overhead_mib`` beside it, for the Python workers of its ``n_cores`` tasks.
    """

    yarn_mib: int
    n_executors: int
    n_cores: int
    heap_mib: int
    overhead_mib: int


def split_memory(worker: InstanceType) -> MemorySplit:
    """Split the memory of a worker node."""
    quarter_mib = worker.memory_mib // 4
    yarn_mib = worker.memory_mib - min(max(_MIN_SYSTEM_MIB, quarter_mib), _MAX_SYSTEM_MIB)
    n_executors = -(-worker.n_vcpus // _MAX_CORES_PER_EXECUTOR)
    n_cores = worker.n_vcpus // n_executors
    share_mib = (yarn_mib - _APPLICATION_MASTER_MIB) // n_executors
    executor_mib = share_mib - share_mib % _YARN_STEP_MIB
    overhead_mib = _JVM_OVERHEAD_MIB + n_cores * _PYTHON_MIB_PER_TASK
    return MemorySplit(
        yarn_mib=yarn_mib,
        n_executors=n_executors,
        n_cores=n_cores,
        heap_mib=executor_mib - overhead_mib,
        overhead_mib=overhead_mib,
    )


def spark_defaults(
    *, primary: InstanceType, worker: InstanceType, n_worker_nodes: int
) -> dict[str, str]:
    """Return the ``spark-defaults`` of a cluster with so many core and task nodes."""
    split = split_memory(worker)
    return {
        **COMMON_SETTINGS,
        # A fixed number: the timings of a run can be compared with those of another.
        "spark.dynamicAllocation.enabled": "false",
        "spark.executor.instances": str(n_worker_nodes * split.n_executors),
        "spark.executor.cores": str(split.n_cores),
        "spark.executor.memory": f"{split.heap_mib}m",
        "spark.executor.memoryOverhead": f"{split.overhead_mib}m",
        "spark.driver.memory": f"{primary.memory_mib // 4}m",
        "spark.default.parallelism": str(n_worker_nodes * worker.n_vcpus),
        "spark.pyspark.python": PYTHON,
        "spark.pyspark.driver.python": PYTHON,
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
        **{
            f"spark.{process}.{name}": value
            for process in ("yarn.appMasterEnv", "executorEnv")
            for name, value in METADATA_RETRIES.items()
        },
    }


def yarn_site(worker: InstanceType) -> dict[str, str]:
    """Return the ``yarn-site`` of a worker node: the memory that YARN may hand out, and how."""
    memory = str(split_memory(worker).yarn_mib)
    return {
        "yarn.nodemanager.resource.memory-mb": memory,
        "yarn.scheduler.maximum-allocation-mb": memory,
        "yarn.scheduler.minimum-allocation-mb": str(_YARN_STEP_MIB),
        # Python workers map shared libraries and the network: their address space says nothing.
        "yarn.nodemanager.vmem-check-enabled": "false",
    }
