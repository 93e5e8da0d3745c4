"""Spark: how it is started, on a laptop and under spark-submit."""

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
    # Otherwise what has ended is told only with the next event 0.1 s later: a whole task too late.
    "spark.ui.liveUpdate.period": "0",
}
if sys.platform == "linux":  # on macOS, what is loaded before a fork may fail after it
    _LOCAL_SETTINGS["spark.python.daemon.module"] = "spark_assets.jobs.worker_daemon"


def start_context(name: str, *, master: str | None, verbose: bool) -> SparkContext:
    """Start Spark, or join the JVM that spark-submit prepared.

    Without ``master`` and outside spark-submit it runs on all cores of this machine, as the project
    sets it up, whatever the environment holds; the settings of another master are honoured.

    Raises FruitsError where Java does not fit or Spark does not start, with what the JVM said.
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
    # The JVM inherits the silence, and the workers from the JVM, for as long as they live.
    with suppress_native_stderr(verbose=verbose):
        try:
            context = _context(SparkConf().setAll([*settings.items()]), local=local)
        except Exception as error:
            if verbose or isinstance(error, FruitsError):
                raise
            raise FruitsError(_not_started(error, None if local else master)) from error
    install_exception_handler()  # what a session does, for those who need none
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
        # Hadoop asks the system for the user's name, and fails where passwd has none.
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
    """Let PySpark's server for accumulators end in the background when Spark is stopped.

    It looks once a second whether it is to end, and ``stop`` waits for that: 0.9 s, where Spark
    itself is stopped within 0.1 s.
    """
    server = getattr(context, "_accumulatorServer", None)
    if server is not None:
        end = server.shutdown
        server.shutdown = lambda: threading.Thread(target=end, daemon=True).start()


def is_submitted() -> bool:
    """Tell whether spark-submit has started this program, and waits for its session."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def n_task_slots(context: SparkContext) -> int:
    """Return how many tasks run at a time."""
    return max(1, context.defaultParallelism)


def _ship_package(context: SparkContext) -> None:
    """Send this package to the executors, unless it came in a zip that spark-submit sends."""
    if str(context.master).startswith("local") or not _PACKAGE.is_dir():
        return
    archive = Path(tempfile.mkdtemp(prefix="fruits-")) / "spark_assets.zip"
    write_package_zip(archive)
    context.addPyFile(str(archive))


def write_package_zip(archive: Path) -> None:
    """Write this package as the zip that ``--py-files`` takes: the same bytes every time."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(_PACKAGE.parent).as_posix()
                # A date of its own would change the digest of the zip at every checkout.
                info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, path.read_bytes())


def make_event_log_folder() -> None:
    """Make the folder that ``spark.eventLog.dir`` names, where events are to be logged.

    Where a prefix of S3 holds no object, such as before the first run and when all have expired,
    Spark does not start.  To be called in the program that spark-submit has started, before there
    is a context.  Raises Py4JJavaError where it cannot be made.
    """
    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    assert jvm is not None
    settings = jvm.org.apache.spark.SparkConf()
    if settings.getBoolean("spark.eventLog.enabled", False):
        folder = jvm.org.apache.hadoop.fs.Path(settings.get("spark.eventLog.dir"))
        hadoop = jvm.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(settings)
        folder.getFileSystem(hadoop).mkdirs(folder)


# How a stage of the chain comes to Spark.
GetSpark: TypeAlias = Callable[[], SparkContext]


class SparkOnDemand:
    """Returns the one context when it is called, and stops Spark at the end of a ``with`` block.

    ``is_asked_for``: images are featurized by it even where they are few.

    `begin` starts Spark in the background: a JVM takes seconds to start, in which Python can work.
    """

    def __init__(self, start: GetSpark, *, is_asked_for: bool = True) -> None:
        self._start = start
        self.is_asked_for = is_asked_for
        self._pool = ThreadPoolExecutor(1)
        self._context: Future[SparkContext] | None = None

    def begin(self) -> None:
        """Start Spark in the background, unless that has been done."""
        if self._context is None:
            self._context = self._pool.submit(self._start_cancellable)

    def __call__(self) -> SparkContext:
        """Return Spark's context, and wait for it if need be.  Raises what starting it raised."""
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


def is_asked_for(spark: GetSpark) -> bool:
    """Return whether images are featurized by Spark even where they are few."""
    return not isinstance(spark, SparkOnDemand) or spark.is_asked_for
