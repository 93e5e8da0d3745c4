"""The workers of EMR Serverless, and Spark's settings on them: pure, from the maximum of vCPUs."""

from dataclasses import dataclass

from cdk_app.cluster.spark_settings import COMMON_SETTINGS

# As m7g and m7i have, and within what EMR Serverless offers at each of the sizes.
GB_PER_VCPU = 4
# Of each worker; EMR Serverless bills more than this.
FREE_DISK_GB = 20
# The largest of them is a node of the default cluster.
_VCPUS_OF_A_WORKER = (4, 2, 1)
# The libraries hold wheels for it, and the default Python of a release can become another.
PYTHON = "python3.11"
# Of `spark.archives`, unpacked below the working folder of driver and executors.
LIBRARIES = "libraries"

# A third of a worker is for Python, which holds the network and the images, beside the JVM's heap.
_OVERHEAD_FACTOR = 0.5
_MIB_STEP = 32


@dataclass(frozen=True, slots=True)
class Workers:
    """A driver and ``n_executors``, each with ``n_vcpus``; an executor runs a task on each."""

    n_vcpus: int
    n_executors: int

    @property
    def memory_gb(self) -> int:
        """The memory of one worker: the heap of its JVM and the overhead."""
        return self.n_vcpus * GB_PER_VCPU

    @property
    def heap_mib(self) -> int:
        """The heap of one JVM.  EMR Serverless adds the overhead, and takes whole GB."""
        heap_mib = int(self.memory_gb * 1024 / (1 + _OVERHEAD_FACTOR))
        return heap_mib - heap_mib % _MIB_STEP

    @property
    def maximum_capacity(self) -> dict[str, str]:
        """The capacity of driver and executors together, in the form of EMR Serverless."""
        n_workers = self.n_executors + 1
        return {
            "cpu": f"{n_workers * self.n_vcpus} vCPU",
            "memory": f"{n_workers * self.memory_gb} GB",
            "disk": f"{n_workers * FREE_DISK_GB} GB",
        }


def plan_workers(max_vcpus: int) -> Workers:
    """Return the largest workers, at least two, that use exactly ``max_vcpus``, an even number."""
    n_vcpus = next(n for n in _VCPUS_OF_A_WORKER if max_vcpus % n == 0 and max_vcpus >= 2 * n)
    return Workers(n_vcpus=n_vcpus, n_executors=max_vcpus // n_vcpus - 1)


def serverless_defaults(workers: Workers) -> dict[str, str]:
    """Return the ``spark-defaults`` of an application whose jobs run on these workers."""
    sizes = {
        f"spark.{process}.{name}": value
        for process in ("driver", "executor")
        for name, value in (("cores", str(workers.n_vcpus)), ("memory", f"{workers.heap_mib}m"))
    }
    environment = {
        f"spark.{process}.{name}": value
        for process in ("emr-serverless.driverEnv", "executorEnv")
        for name, value in (("PYSPARK_PYTHON", PYTHON), ("PYTHONPATH", f"./{LIBRARIES}"))
    }
    return {
        **COMMON_SETTINGS,
        **sizes,
        **environment,
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": PYTHON,
        "spark.emr-serverless.memoryOverheadFactor": str(_OVERHEAD_FACTOR),
        # An executor is billed from its start to its end: what only the driver works on has none.
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.initialExecutors": "0",
        "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.maxExecutors": str(workers.n_executors),
        "spark.default.parallelism": str(workers.n_executors * workers.n_vcpus),
    }
