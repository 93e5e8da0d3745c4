"""What status says in the end, of steps on the cluster and of those on EMR Serverless."""

from cdk_app.config import Environment
from operations.aws.stacks import find_data_stack
from operations.aws.step_logs import StepLog
from spark_assets.output.output import REPORT
from spark_assets.runtime.progress import echo
from spark_assets.text.printable import printable_line


def say_where_the_report_is(environment: Environment) -> None:
    """Name the command that copies the report."""
    if (data := find_data_stack(environment)) is not None:
        uri = data.output.child(REPORT).uri
        echo(f"copy the report with: aws s3 cp {printable_line(uri)} report.html")


def say_failure(name: str, step_id: str, reason: str) -> None:
    """Tell that a step has failed, with what EMR knows of it."""
    echo(f"fruits: the step {name} ({step_id}) failed{f': {reason}' if reason else ''}")


def say_last_words(log: StepLog) -> None:
    """Tell the end of a log, or where it will be."""
    if log.lines is None:
        echo(f"its log has not come yet; it will be in {printable_line(log.uri)}")
        return
    echo(f"the last words of its log, {printable_line(log.uri)}:")
    for line in log.lines:
        echo(f"  {line}")
