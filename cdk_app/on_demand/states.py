"""The states of a run on demand: what Step Functions does, one after the other.

    one run at a time -> endpoints -> cluster -> featurize -> reduce -> report
                                    whatever came -> end clusters -> delete the endpoints -> tell

Every failure is kept as ``$.failure`` and joins the way down, which ends clusters before their
endpoints go: without them EMR could not reach it any more.  What fails on the way down is kept
below it, and the rest of the way is gone all the same.
"""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_app.on_demand.clusters import THROTTLED, RunClusters
from cdk_app.on_demand.endpoints import RunEndpoints
from cdk_app.on_demand.failures import (
    AT_FIRST,
    FAILED_IN,
    FAILURE,
    LEFT_BEHIND,
    catch_failure,
    failed_in,
    note_failure,
    retry_calls,
)
from cdk_app.on_demand.run_plan import RunPlan
from cdk_app.steps import Step

_CLUSTER_ID = "$.cluster.ClusterId"
# EMR asks for fewer requests, or fails itself. The first two are its own names, the third is the
# one that its client gives to what it has no name for, among it too many requests. A step that is
# added twice runs twice, and finds nothing new the second time.
_EMR_TROUBLE = [
    THROTTLED,
    "ElasticMapReduce.InternalServerException",
    "ElasticMapReduce.AmazonElasticMapReduceException",
]


class RunStates(Construct):
    """The states, linked; ``first`` is the one that a run begins with."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: RunPlan) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        endpoints = RunEndpoints(self, "Endpoints", plan=plan)
        clusters = RunClusters(self, "Clusters", plan=plan)
        clusters.link_end(then=endpoints.link_end(outcome=self._outcome()))
        self._steps(clusters)
        endpoints.link_start(up=clusters.create, failed=clusters.end)
        # What an execution is given counts for nothing: it could name a cluster to end.
        begin = sfn.Pass(self, "Begin", result=sfn.Result.from_object({}), assign=AT_FIRST)
        self.first = begin.next(self._one_at_a_time(endpoints, clusters.end))

    def _one_at_a_time(self, endpoints: RunEndpoints, way_down: sfn.IChainable) -> sfn.IChainable:
        """Refuse a second run: two would write the same tables, and share one set of names."""
        count = tasks.CallAwsService(
            self,
            "Count runs",
            service="sfn",
            action="listExecutions",
            iam_resources=[],
            parameters={
                "StateMachineArn": sfn.JsonPath.string_at("$$.StateMachine.Id"),
                "StatusFilter": "RUNNING",
                "MaxResults": 2,
            },
            result_selector={
                "n": sfn.JsonPath.array_length(sfn.JsonPath.object_at("$.Executions"))
            },
            result_path="$.runs",
        )
        retry_calls(count)
        catch_failure(count, way_down)
        refused = note_failure(
            self,
            "Refuse a second run",
            error="AnotherRun",
            cause="another run is under way; follow it with: fruits status --on-demand",
            assign=failed_in("Refuse a second run"),
        ).next(way_down)
        alone = sfn.Choice(self, "Is another run under way?")
        alone.when(sfn.Condition.number_greater_than("$.runs.n", 1), refused)
        alone.otherwise(endpoints.first)
        endpoints.link_leftovers(recount=count, failed=way_down)
        return count.next(alone).start_state

    def _steps(self, clusters: RunClusters) -> None:
        before: sfn.CustomState | tasks.EmrAddStep = clusters.create
        for step in self._plan.steps:
            time_left = sfn.Pass.jsonata(
                self, f"Time left for {step.name}", outputs=self._plan.time_left
            )
            added = self._step(step, clusters.end)
            before.next(time_left)
            time_left.next(added)
            before = added
        before.next(clusters.end)

    def _step(self, step: Step, way_down: sfn.IChainable) -> tasks.EmrAddStep:
        """Run a step to its end.

        A step that failed is not tried again: the refusals of featurize are for a person to look
        at, and Spark has by then replaced each lost task itself. Only EMR's own trouble with the
        request is.
        """
        added = tasks.EmrAddStep(
            self,
            step.name.title(),
            cluster_id=sfn.JsonPath.string_at(_CLUSTER_ID),
            name=step.name,
            jar="command-runner.jar",
            args=list(step.arguments),
            action_on_failure=tasks.ActionOnFailure.CONTINUE,
            task_timeout=sfn.Timeout.at("$.seconds_left"),
            result_path=sfn.JsonPath.DISCARD,
        )
        added.add_retry(
            errors=_EMR_TROUBLE, interval=Duration.seconds(30), max_attempts=3, backoff_rate=2
        )
        catch_failure(added, way_down)
        return added

    def _outcome(self) -> sfn.Choice:
        succeeded = sfn.Succeed(self, "Done")
        failed = sfn.Fail(
            self,
            "Failed",
            error="RunFailed",
            # Whole: the cause of a time-out has no text of its own.
            cause_path=f"States.JsonToString({FAILURE})",
        )
        message = sfn.JsonPath.format(
            self._plan.failure_message,
            sfn.JsonPath.string_at(f"${FAILED_IN}"),
            sfn.JsonPath.string_at("$$.Execution.Name"),
            sfn.JsonPath.string_at(f"${LEFT_BEHIND}"),
        )
        outcome = sfn.Choice(self, "Did all go well?")
        outcome.when(
            sfn.Condition.is_present(FAILURE), self._tell("Tell the failure", message, failed)
        )
        return outcome.otherwise(
            self._tell("Tell the success", self._plan.success_message, succeeded)
        )

    def _tell(self, name: str, message: str, then: sfn.Succeed | sfn.Fail) -> sfn.State:
        tell = tasks.SnsPublish(
            self,
            name,
            topic=self._plan.topic,
            subject=f"Fruits!: {name.removeprefix('Tell the ')} of a run",
            message=sfn.TaskInput.from_text(message),
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_calls(tell)
        # Nobody was told, which changes nothing about what came of the run.
        tell.add_catch(then, result_path="$.untold")
        return tell.next(then).start_state
