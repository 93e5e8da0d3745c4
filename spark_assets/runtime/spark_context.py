"""Start of Spark, on a laptop and under spark-submit."""

import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors.exceptions.captured import install_exception_handler

from spark_assets.errors import FruitsError
from spark_assets.runtime.cluster_checks import check_cluster
from spark_assets.runtime.java import check_java, jvm_options, last_sentence, root_cause
from spark_assets.runtime.process_environment import isolate_spark
from spark_assets.runtime.signals import cancel_with
from spark_assets.runtime.suppress_output import captured_stderr, suppress_native_stderr

# A stage of the chain calls it once it needs Spark.
GetSpark: TypeAlias = Callable[[], SparkContext]

_PACKAGE = Path(__file__).parents[1]

_SETTINGS = {
    # One thread per task, in the network and in BLAS: Spark already has one task per core.
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.TF_NUM_INTRAOP_THREADS": "1",
    "spark.executorEnv.TF_NUM_INTEROP_THREADS": "1",
    # Workers start with `python -m`, which imports from the working folder before anything else.
    "spark.executorEnv.PYTHONSAFEPATH": "1",
}
_LOCAL_SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    # By default the end of a task is reported with the next event, 0.1 s later: a whole task.
    "spark.ui.liveUpdate.period": "0",
}
if sys.platform == "linux":  # on macOS, libraries loaded before a fork may fail after it
    _LOCAL_SETTINGS["spark.python.daemon.module"] = "spark_assets.jobs.worker_daemon"


def start_context(name: str, *, master: str | None, verbose: bool) -> SparkContext:
    """Start Spark, or join the JVM that spark-submit prepared.

    Without ``master`` and outside spark-submit, Spark runs on all cores of this machine with the
    settings of the project, whatever the environment holds.  With another master, the settings of
    the environment apply.

    Raises FruitsError for an unsupported Java, and with the message of the JVM where Spark does not
    start.
    """
    settings = {"spark.app.name": name, **_SETTINGS}
    local = not is_submitted() and (master or "local").startswith("local")
    if local:
        master = master or "local[*]"
        isolate_spark()
        settings |= _LOCAL_SETTINGS | {
            "spark.driver.extraJavaOptions": jvm_options(),
            "spark.local.dir": tempfile.gettempdir(),
        }
    elif not is_submitted():
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        check_cluster(str(master))
    if not is_submitted():
        check_java()
    if master:
        settings["spark.master"] = master
    # The JVM and its workers inherit the redirected standard error for their lifetime.
    with suppress_native_stderr(verbose=verbose):
        try:
            context = _context(SparkConf().setAll([*settings.items()]), local=local)
        except Exception as error:
            if verbose or isinstance(error, FruitsError):
                raise
            raise FruitsError(_not_started(error, None if local else master)) from error
    install_exception_handler()  # a SparkSession would do it
    context.setLogLevel("INFO" if verbose else "ERROR")
    _stop_without_a_wait(context)
    _ship_package(context)
    return context


def _context(conf: SparkConf, *, local: bool) -> SparkContext:
    if is_submitted():
        make_event_log_folder()
    if local and SparkContext._active_spark_context is None:
        SparkContext._ensure_initialized(conf=conf)
        assert SparkContext._jvm is not None
        # Hadoop reads the user's name from the system, and fails for a user of a container without
        # an entry in passwd.  There is no setting for it, and no public way to a JVM without Spark.
        users = SparkContext._jvm.org.apache.hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser("fruits"))
    return SparkContext.getOrCreate(conf)


def _not_started(error: Exception, address: str | None) -> str:
    if isinstance(error, Py4JJavaError):
        cause = root_cause(error)
    else:
        cause = last_sentence(captured_stderr()) or str(error)
    if address is None:
        return f"Spark did not start: {cause}; for the stack trace, add --verbose"
    return (
        f"Spark did not start with --master {address}: {cause}; "
        "check the address and the settings of that cluster"
    )


def _stop_without_a_wait(context: SparkContext) -> None:
    """Stop PySpark's accumulator server in the background.

    ``stop`` waits for it, and it checks once a second: 0.9 s, where Spark itself takes 0.1 s.
    """
    server = getattr(context, "_accumulatorServer", None)
    if server is not None:
        end = server.shutdown
        server.shutdown = lambda: threading.Thread(target=end, daemon=True).start()


def is_submitted() -> bool:
    """Return whether spark-submit has started this program."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def n_task_slots(context: SparkContext) -> int:
    """Return how many tasks run at a time."""
    return max(1, context.defaultParallelism)


def _ship_package(context: SparkContext) -> None:
    """Send this package to the executors, unless spark-submit sends it as a zip."""
    if str(context.master).startswith("local") or not _PACKAGE.is_dir():
        return
    archive = Path(tempfile.mkdtemp(prefix="fruits-")) / "spark_assets.zip"
    write_package_zip(archive)
    context.addPyFile(str(archive))


def write_package_zip(archive: Path) -> None:
    """Write this package as a zip for ``--py-files``, byte for byte reproducible."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(_PACKAGE.parent).as_posix()
                # The date of the file would change the digest of the zip at every checkout.
                info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, path.read_bytes())


def make_event_log_folder() -> None:
    """Create the folder of ``spark.eventLog.dir``, if events are logged.

    Spark does not create it, and does not start while a prefix of S3 holds no object.  Called under
    spark-submit, before there is a context.  Raises Py4JJavaError where it cannot be created.
    """
    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    assert jvm is not None
    settings = jvm.org.apache.spark.SparkConf()
    if settings.getBoolean("spark.eventLog.enabled", False):
        folder = jvm.org.apache.hadoop.fs.Path(settings.get("spark.eventLog.dir"))
        hadoop = jvm.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(settings)
        folder.getFileSystem(hadoop).mkdirs(folder)


class SparkOnDemand:
    """Spark that is started when first called, and stopped at the end of a ``with`` block.

    ``is_requested``: featurize on Spark even a few images.
    """

    def __init__(self, start: GetSpark, *, is_requested: bool = True) -> None:
        self._start = start
        self.is_requested = is_requested
        self._pool = ThreadPoolExecutor(1)
        self._context: Future[SparkContext] | None = None

    def begin(self) -> None:
        """Start Spark in the background, where a JVM takes seconds to start."""
        if self._context is None:
            self._context = self._pool.submit(self._start_cancellable)

    def __call__(self) -> SparkContext:
        """Return the context once Spark has started.  Raises the error of the start."""
        self.begin()
        assert self._context is not None
        return self._context.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        if self._context is not None and self._context.exception() is None:
            cancel_with(None)
            self._context.result().stop()

    def _start_cancellable(self) -> SparkContext:
        context = self._start()
        cancel_with(context.cancelAllJobs)
        return context


def is_requested(spark: GetSpark) -> bool:
    """Return whether even a few images are featurized on Spark."""
    return not isinstance(spark, SparkOnDemand) or spark.is_requested
