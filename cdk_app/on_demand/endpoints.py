"""The interface endpoints of a run: made before the cluster, deleted after it.

They are billed by the hour, so that nothing is paid for them between runs. A run finds its own by
a tag with its name. Those of an execution that was aborted are left; the next run waits until the
idle policy has ended their cluster, and deletes them.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_app.cluster.definition import RUN_TAG
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from cdk_app.on_demand.failures import (
    FAILURE,
    catch_failure,
    failed_in,
    left_behind,
    note_failure,
    retry_calls,
)
from cdk_app.on_demand.run_plan import RunPlan

_FIRST_FOUND = "$.endpoints.ids[0]"
_SERVICES = {"EMR": EMR_CELL_SERVICE, "KMS": KMS_SERVICE}
# Not those that a run has just deleted: they end by themselves, and their names come free.
_STANDING = ("available", "pending", "pendingAcceptance", "failed", "rejected")
_LOOK_EVERY_SECONDS = 30
_MAX_LOOKS = 30
# Until then the private names of deleted endpoints may still be taken.
_NAMES_FREE_SECONDS = 180
_ENDPOINTS_STAY = (
    "interface endpoints could not be deleted and cost money by the hour; the next run deletes "
    "them, or do so in the AWS console"
)


class RunEndpoints(Construct):
    """The states around the endpoints; ``first`` looks for those that an aborted run has left."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: RunPlan) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        self._left = self._find("Find endpoints left behind", of_this_run=False, states=_STANDING)
        self._create = [self._creation(name, service) for name, service in _SERVICES.items()]
        self.first: sfn.State = self._left

    def link_leftovers(self, *, recount: sfn.State, failed: sfn.IChainable) -> None:
        """Delete what was left, after a wait and another look for other runs."""
        delete = self._delete("Delete endpoints left behind")
        free = _wait(self, "Wait for their names", _NAMES_FREE_SECONDS)
        idle = sfn.Wait(
            self, "Wait for the idle end", time=sfn.WaitTime.duration(self._plan.idle_end)
        )
        waited = sfn.Pass(
            self,
            "Has waited",
            result=sfn.Result.from_object({"once": True}),
            result_path="$.waited",
        )
        left = sfn.Choice(self, "Are endpoints left?")
        left.when(sfn.Condition.not_(sfn.Condition.is_present(_FIRST_FOUND)), self._create[0])
        left.when(sfn.Condition.is_present("$.waited"), delete)
        left.otherwise(idle)
        idle.next(waited)
        waited.next(recount)
        delete.next(free)
        free.next(self._create[0])
        self._left.next(left)
        for task in (self._left, delete):
            catch_failure(task, failed)

    def link_start(self, *, up: sfn.CustomState, failed: sfn.IChainable) -> None:
        """Make the endpoints and wait until they are up, within a limit."""
        emr_endpoint, kms_endpoint = self._create
        no_look = sfn.Pass(
            self, "No look yet", result=sfn.Result.from_object({"n": 0}), result_path="$.looks"
        )
        wait = _wait(self, "Wait for endpoints", _LOOK_EVERY_SECONDS)
        look = self._find("Look at endpoints", of_this_run=True, states=["available"])
        count = sfn.Pass(
            self,
            "Count looks",
            parameters={"n": sfn.JsonPath.math_add(sfn.JsonPath.number_at("$.looks.n"), 1)},
            result_path="$.looks",
        )
        late = note_failure(
            self,
            "Give endpoints up",
            error="NoEndpoints",
            cause="the interface endpoints did not become available",
            assign=failed_in("Wait for endpoints"),
        ).next(failed)
        ready = sfn.Choice(self, "Are endpoints up?")
        ready.when(sfn.Condition.is_present(f"$.endpoints.ids[{len(_SERVICES) - 1}]"), up)
        ready.when(sfn.Condition.number_greater_than_equals("$.looks.n", _MAX_LOOKS), late)
        ready.otherwise(wait)
        emr_endpoint.next(kms_endpoint)
        kms_endpoint.next(no_look)
        no_look.next(wait)
        wait.next(look)
        look.next(count)
        count.next(ready)
        for task in (*self._create, look):
            catch_failure(task, failed)

    def link_end(self, *, outcome: sfn.Choice) -> sfn.State:
        """Return the state that begins to delete the endpoints of this run."""
        find = self._find("Find endpoints", of_this_run=True)
        delete = self._delete("Delete endpoints")
        stay = note_failure(
            self,
            "Endpoints stay",
            error="EndpointsStay",
            cause=_ENDPOINTS_STAY,
            assign=left_behind(_ENDPOINTS_STAY),
            path=f"{FAILURE}.endpoints",
        )
        gone = sfn.Choice(self, "Do endpoints stay?")
        gone.when(sfn.Condition.is_present("$.deleted.Unsuccessful[0]"), stay)
        gone.otherwise(outcome)
        any_found = sfn.Choice(self, "Are there endpoints?")
        any_found.when(sfn.Condition.is_present(_FIRST_FOUND), delete)
        any_found.otherwise(outcome)
        find.next(any_found)
        delete.next(gone)
        stay.next(outcome)
        for task in (find, delete):
            task.add_catch(stay, result_path=f"{FAILURE}.deletion")
        return find

    def _find(
        self, name: str, *, of_this_run: bool, states: Sequence[str] = ()
    ) -> tasks.CallAwsService:
        filters: list[dict[str, Any]] = [
            {"Name": "vpc-id", "Values": [self._plan.network.vpc.vpc_id]},
            {"Name": "vpc-endpoint-type", "Values": ["Interface"]},
        ]
        if of_this_run:
            run = sfn.JsonPath.array(sfn.JsonPath.string_at("$$.Execution.Name"))
            filters.append({"Name": f"tag:{RUN_TAG}", "Values": run})
        if states:
            filters.append({"Name": "vpc-endpoint-state", "Values": list(states)})
        return self._call(
            name,
            "describeVpcEndpoints",
            {"Filters": filters},
            result_path="$.endpoints",
            result_selector={"ids": sfn.JsonPath.list_at("$.VpcEndpoints[*].VpcEndpointId")},
        )

    def _delete(self, name: str) -> tasks.CallAwsService:
        found = sfn.JsonPath.list_at("$.endpoints.ids")
        return self._call(
            name, "deleteVpcEndpoints", {"VpcEndpointIds": found}, result_path="$.deleted"
        )

    def _creation(self, name: str, service: str) -> tasks.CallAwsService:
        network = self._plan.network
        tags = [{"Key": key, "Value": value} for key, value in self._plan.config.tags.items()]
        run = {"Key": RUN_TAG, "Value": sfn.JsonPath.string_at("$$.Execution.Name")}
        return self._call(
            f"Make the {name} endpoint",
            "createVpcEndpoint",
            {
                "VpcEndpointType": "Interface",
                "VpcId": network.vpc.vpc_id,
                "ServiceName": service,
                "SubnetIds": [network.subnet.subnet_id],
                "SecurityGroupIds": [network.endpoints.security_group_id],
                "PrivateDnsEnabled": True,
                "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [*tags, run]}],
            },
            result_path=sfn.JsonPath.DISCARD,
            # Until its name is free: the endpoint of a run before this one may be going still.
            max_attempts=5,
        )

    def _call(
        self,
        name: str,
        action: str,
        parameters: dict[str, Any],
        *,
        result_path: str,
        result_selector: dict[str, Any] | None = None,
        max_attempts: int = 3,
    ) -> tasks.CallAwsService:
        task = tasks.CallAwsService(
            self,
            name,
            service="ec2",
            action=action,
            # The role says what it may do; nothing is added for a task.
            iam_resources=[],
            parameters=parameters,
            result_path=result_path,
            result_selector=result_selector,
        )
        retry_calls(task, max_attempts=max_attempts)
        return task


def _wait(scope: Construct, name: str, seconds: int) -> sfn.Wait:
    return sfn.Wait(scope, name, time=sfn.WaitTime.duration(Duration.seconds(seconds)))
