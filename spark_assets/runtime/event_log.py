"""The folder of Spark's event log, which Spark asks for and does not make."""

from pyspark import SparkContext


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
