"""The cluster of a run: made once, and found and ended by its name, whatever became of the answer.

EMR makes a second cluster for a request that is sent twice, and an answer can be lost.  So a
request is repeated only where EMR has asked for fewer requests, and the way down ends every cluster
with the name of the run, whether its id was heard of or not.
"""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_app.cluster.definition import ACTIVE_STATES
from cdk_app.on_demand.failures import (
    FAILURE,
    catch_failure,
    left_behind,
    note_failure,
    retry_calls,
)
from cdk_app.on_demand.run_plan import RunPlan

# EMR asks for fewer requests: it has made nothing.
THROTTLED = "ElasticMapReduce.ThrottlingException"
_SHOWN_AFTER_SECONDS = 60
_LOOK_EVERY_SECONDS = 30
# Half an hour of waits; a look that finds nothing on one page of many does not wait.
_MAX_LOOKS = 60
_CLUSTERS_STAY = (
    "cluster could not be ended in half an hour; it ends by itself when it has been idle, or end "
    "it in the AWS console"
)


class RunClusters(Construct):
    """The states around the cluster: ``create`` makes it, ``end`` begins to end it."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: RunPlan) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        # EMR's own policy needs the endpoints to end an idle cluster, so they stay until it has.
        self._idle = sfn.Wait(
            self, "Wait for the idle policy", time=sfn.WaitTime.duration(plan.idle_end)
        )
        self._find = sfn.CustomState(self, "Find clusters", state_json=self._listing())
        retry_calls(self._find, max_attempts=5)
        self.end: sfn.IChainable = self._find
        self.create = self._creation()

    def link_end(self, *, then: sfn.IChainable) -> None:
        """End what is found until nothing is, within a limit, and go on with ``then``."""
        end = tasks.CallAwsService(
            self,
            "End clusters",
            service="emr",
            action="terminateJobFlows",
            # The role says what it may do; nothing is added for a task.
            iam_resources=[],
            parameters={"JobFlowIds": sfn.JsonPath.list_at("$.clusters.ids")},
            result_path=sfn.JsonPath.DISCARD,
        )
        retry_calls(end, max_attempts=5)
        end.add_catch(self._idle, result_path=f"{FAILURE}.clusters")
        wait = sfn.Wait(
            self,
            "Wait for the end of clusters",
            time=sfn.WaitTime.duration(Duration.seconds(_LOOK_EVERY_SECONDS)),
        )
        stay = note_failure(
            self,
            "Clusters stay",
            error="ClustersStay",
            cause=_CLUSTERS_STAY,
            assign=left_behind(_CLUSTERS_STAY),
            path=f"{FAILURE}.clusters",
        )
        up = sfn.Choice(self, "Are clusters up?")
        found = sfn.Condition.is_present("$.clusters.ids[0]")
        late = sfn.Condition.number_greater_than_equals("$.clusters.n_looks", _MAX_LOOKS)
        up.when(sfn.Condition.and_(found, late), stay)
        up.when(found, end)
        up.when(sfn.Condition.is_present("$.clusters.next.Marker"), self._find)
        up.otherwise(then)
        self._find.next(up)
        end.next(wait)
        wait.next(self._find)
        stay.next(self._idle)
        self._idle.next(then)

    def _creation(self) -> sfn.CustomState:
        """Ask for the cluster, and do not wait: its id is known from the first moment on.

        The first step waits for it instead, and is cancelled where it cannot be made.
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
            errors=[THROTTLED], interval=Duration.seconds(30), max_attempts=3, backoff_rate=2
        )
        shown = sfn.Wait(
            self,
            "Wait for a cluster to show",
            time=sfn.WaitTime.duration(Duration.seconds(_SHOWN_AFTER_SECONDS)),
        )
        shown.next(self._find)
        catch_failure(create, shown)
        return create

    def _listing(self) -> dict[str, object]:
        """Return the state that looks for clusters of this run: ``$.clusters.ids``, page by page.

        JSONata, for the other language of Step Functions cannot compare with the name of the run.
        The next page is asked for where this one has none of them.
        """
        name = f"'{self._plan.cluster_name} ' & $states.context.Execution.Name"
        asked = (
            "{'CreatedAfter': $states.context.Execution.StartTime, "
            f"'ClusterStates': {[*ACTIVE_STATES]}}}"
        )
        more = "$exists($states.result.Marker) and $not($exists($ids))"
        seen = (
            "{'ids': [$ids], 'n_looks': $sum([$states.input.clusters.n_looks, 1]), "
            f"'next': {more} ? {{'Marker': $states.result.Marker}} : {{}}}}"
        )
        failure = "{'failure': $merge([$states.input.failure, {'clusters': $states.errorOutput}])}"
        return {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::aws-sdk:emr:listClusters",
            "Arguments": f"{{% $merge([{asked}, $states.input.clusters.next]) %}}",
            "Output": (
                f"{{% ($ids := $states.result.Clusters[Name = {name}].Id; "
                f"$merge([$states.input, {{'clusters': {seen}}}])) %}}"
            ),
            # Written here, for the CDK drops the output of such a state's catcher.
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Output": f"{{% $merge([$states.input, {failure}]) %}}",
                    "Next": self._idle.state_id,
                }
            ],
        }
