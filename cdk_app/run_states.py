"""The states of a run on demand: what Step Functions does, one after the other.

    one run at a time -> endpoints -> cluster -> featurize -> reduce -> report
                                    whatever came -> end the cluster -> delete the endpoints -> tell

Every failure is kept as ``$.failure`` and joins the way down, which ends the cluster before its
endpoints go: without them EMR could not reach it any more.  What fails on the way down is kept
below it, and the rest of the way is gone all the same.
"""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_app.run_endpoints import RunEndpoints, retry_calls
from cdk_app.run_plan import RunPlan
from cdk_app.steps import Step

FAILURE = "$.failure"
_CLUSTER_ID = "$.cluster.ClusterId"
_END_MINUTES = 30
# EMR asks for fewer requests, or fails itself. The first two are its own names, the third is the
# one that its client gives to what it has no name for, among it too many requests.
_EMR_TROUBLE = [
    "ElasticMapReduce.ThrottlingException",
    "ElasticMapReduce.InternalServerException",
    "ElasticMapReduce.AmazonElasticMapReduceException",
]


class RunStates(Construct):
    """The states, linked; ``first`` is the one that a run begins with."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: RunPlan) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        endpoints = RunEndpoints(self, "Endpoints", plan=plan)
        way_down = self._way_down(endpoints)
        cluster = self._create_cluster(way_down)
        self._steps(cluster, way_down)
        endpoints.link_start(up=cluster, failed=way_down)
        # What an execution is given counts for nothing: it could name a cluster to end.
        self.first = sfn.Pass(self, "Begin", result=sfn.Result.from_object({})).next(
            self._one_at_a_time(endpoints, way_down)
        )

    def _one_at_a_time(self, endpoints: RunEndpoints, way_down: sfn.Choice) -> sfn.State:
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
        count.add_catch(way_down, result_path=FAILURE)
        refused = sfn.Pass(
            self,
            "Refuse a second run",
            result=sfn.Result.from_object(
                {
                    "Error": "AnotherRun",
                    "Cause": "another run is under way; follow it with: fruits status --on-demand",
                }
            ),
            result_path=FAILURE,
        ).next(way_down)
        alone = sfn.Choice(self, "Is another run under way?")
        alone.when(sfn.Condition.number_greater_than("$.runs.n", 1), refused)
        alone.otherwise(endpoints.first)
        endpoints.link_leftovers(recount=count, failed=way_down)
        return count.next(alone).start_state

    def _create_cluster(self, way_down: sfn.Choice) -> sfn.CustomState:
        """Ask for the cluster, and do not wait: its id is known from the first moment on.

        A task that waited for the cluster and failed would not tell which one to end. The first
        step waits for it instead, and is cancelled where it cannot be made.
        """
        create = sfn.CustomState(
            self,
            "Create cluster",
            state_json={
                "Type": "Task",
                "Resource": "arn:aws:states:::elasticmapreduce:createCluster",
                "Parameters": self._plan.create_cluster,
                "ResultPath": "$.cluster",
            },
        )
        create.add_retry(
            errors=_EMR_TROUBLE, interval=Duration.seconds(30), max_attempts=3, backoff_rate=2
        )
        create.add_catch(way_down, result_path=FAILURE)
        return create

    def _steps(self, cluster: sfn.CustomState, way_down: sfn.Choice) -> None:
        before: sfn.CustomState | tasks.EmrAddStep = cluster
        for step in self._plan.steps:
            time_left = sfn.Pass.jsonata(
                self, f"Time left for {step.name}", outputs=self._plan.time_left
            )
            added = self._step(step, way_down)
            before.next(time_left)
            time_left.next(added)
            before = added
        before.next(way_down)

    def _step(self, step: Step, way_down: sfn.Choice) -> tasks.EmrAddStep:
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
        added.add_catch(way_down, result_path=FAILURE)
        return added

    def _way_down(self, endpoints: RunEndpoints) -> sfn.Choice:
        succeeded = sfn.Succeed(self, "Done")
        failed = sfn.Fail(
            self,
            "Failed",
            error="RunFailed",
            # Whole: the cause of a time-out has no text of its own.
            cause_path=f"States.JsonToString({FAILURE})",
        )
        outcome = sfn.Choice(self, "Did all go well?")
        outcome.when(
            sfn.Condition.is_present(FAILURE),
            self._tell(
                "Tell the failure",
                sfn.JsonPath.format(
                    self._plan.failure_message,
                    sfn.JsonPath.json_to_string(sfn.JsonPath.object_at(FAILURE)),
                ),
                failed,
            ),
        )
        outcome.otherwise(self._tell("Tell the success", self._plan.success_message, succeeded))
        delete = endpoints.link_end(outcome=outcome)
        # EMR's own policy needs the endpoints to end an idle cluster, so they stay until it has.
        idle = sfn.Wait(
            self, "Wait for the idle policy", time=sfn.WaitTime.duration(self._plan.idle_end)
        )
        idle.next(delete)
        end = tasks.EmrTerminateCluster(
            self,
            "End cluster",
            cluster_id=sfn.JsonPath.string_at(_CLUSTER_ID),
            task_timeout=sfn.Timeout.duration(Duration.minutes(_END_MINUTES)),
            result_path=sfn.JsonPath.DISCARD,
        )
        # Ending what has ended is no failure, so every kind of it is worth another try.
        retry_calls(end, max_attempts=5)
        end.add_catch(idle, result_path=f"{FAILURE}.cluster")
        end.next(delete)
        way_down = sfn.Choice(self, "Is there a cluster?")
        way_down.when(sfn.Condition.is_present(_CLUSTER_ID), end)
        return way_down.otherwise(delete)

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
