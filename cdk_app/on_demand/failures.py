"""How a run keeps a failure: the reason in its data, the state in a variable for the notice."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

FAILURE = "$.failure"
# Variables of an execution. The notice of a failure is made of them alone.
FAILED_IN, LEFT_BEHIND = "failed_in", "left_behind"
# What they are as long as nothing has failed on the way up, and nothing is left behind.
AT_FIRST = {FAILED_IN: "clean-up", LEFT_BEHIND: "What it had made has been ended."}


def failed_in(state: str) -> dict[str, str]:
    """Return what a state assigns to say that the run has failed in a state."""
    return {FAILED_IN: state}


def left_behind(what: str) -> dict[str, str]:
    """Return what a state assigns to say what of the run is still there."""
    return {LEFT_BEHIND: f"Its {what}."}


def note_failure(
    scope: Construct,
    name: str,
    *,
    error: str,
    cause: str,
    assign: dict[str, str],
    path: str = FAILURE,
) -> sfn.Pass:
    """Return a state that fails the run for a reason of its own, as a task that fails would."""
    return sfn.Pass(
        scope,
        name,
        assign=assign,
        result=sfn.Result.from_object({"Error": error, "Cause": cause}),
        result_path=path,
    )


def catch_failure(task: sfn.TaskStateBase | sfn.CustomState, then: sfn.IChainable) -> None:
    """Keep whatever a task fails with, and in which state, and go on with ``then``."""
    task.add_catch(
        then,
        result_path=FAILURE,
        assign=failed_in(sfn.JsonPath.string_at("$$.State.Name")),
    )


def retry_calls(task: sfn.TaskStateBase | sfn.CustomState, *, max_attempts: int = 3) -> None:
    """Try a call again that is harmless to repeat: AWS may only have been busy."""
    task.add_retry(
        errors=["States.TaskFailed"],
        interval=Duration.seconds(10),
        max_attempts=max_attempts,
        backoff_rate=2,
    )
