"""EMR's clusters as moto does not have them: of fleets, started and worked by somebody else."""

from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.emr.exceptions import ValidationException
from moto.emr.models import Cluster, Step, emr_backends
from moto.emr.utils import random_instance_group_id

_FLEETS = {"MasterInstanceFleet": "MASTER", "CoreInstanceFleet": "CORE"}
_UP = ("WAITING", "RUNNING")
_ENDED = ("TERMINATED", "TERMINATED_WITH_ERRORS")


class WorkedStep(Step):
    """A step that waits until a node takes it, and ends as the node says."""

    log_file = ""

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = super().status
        if self.state == "FAILED":
            # All that EMR says of a step of command-runner.jar that ends with an exit code.
            status["FailureDetails"] = {"Reason": "Unknown Error.", "LogFile": self.log_file}
        return status


class FleetCluster(Cluster):
    """A cluster of instance fleets.  A node says when it is up, and what becomes of its steps."""

    instance_collection_type = "INSTANCE_FLEET"
    state = "STARTING"
    last_state_change_reason: str | None = None

    def __init__(self, backend: Any, properties: dict[str, Any]) -> None:
        instances = properties["Instances"]
        super().__init__(
            backend,
            name=properties["Name"],
            log_uri=properties["LogUri"],
            job_flow_role=properties["JobFlowRole"],
            service_role=properties["ServiceRole"],
            steps=[],
            instance_attrs={
                "ec2_subnet_id": instances["Ec2SubnetIds"][0],
                "emr_managed_master_security_group": instances["EmrManagedMasterSecurityGroup"],
                "emr_managed_slave_security_group": instances["EmrManagedSlaveSecurityGroup"],
                "service_access_security_group": instances["ServiceAccessSecurityGroup"],
                "keep_job_flow_alive_when_no_steps": instances["KeepJobFlowAliveWhenNoSteps"],
            },
            bootstrap_actions=[_bootstrap_action(each) for each in properties["BootstrapActions"]],
            configurations=[_configuration(each) for each in properties["Configurations"]],
            release_label=properties["ReleaseLabel"],
            security_configuration=properties["SecurityConfiguration"],
            ebs_root_volume_size=properties["EbsRootVolumeSize"],
            visible_to_all_users=properties["VisibleToAllUsers"],
        )
        self.add_tags({tag["Key"]: tag["Value"] for tag in properties["Tags"]})
        self.add_applications([{"name": each["Name"]} for each in properties["Applications"]])
        fleets = [(kind, instances[name]) for name, kind in _FLEETS.items()]
        fleets += [("TASK", fleet) for fleet in instances.get("TaskInstanceFleets", ())]
        self.instance_fleets = [_fleet(kind, fleet) for kind, fleet in fleets]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "FleetCluster":
        return cls(emr_backends[account_id][region_name], cloudformation_json["Properties"])

    def run_bootstrap_actions(self) -> None:
        """Leave them to a node.  moto's cluster is up at once."""

    def is_created(self) -> bool:
        # CloudFormation waits until the cluster takes steps, or until it has failed to start.
        return self.state in (*_UP, *_ENDED)

    def turn(self, state: str, reason: str = "") -> None:
        """Take the state that a node reports."""
        self.state = state
        self.last_state_change_reason = reason or None
        if state in _UP:
            self.ready_datetime = self.ready_datetime or utcnow()
        if state in _ENDED:
            self.end_datetime = utcnow()
            self._cancel_pending()

    def terminate(self) -> None:
        self.turn("TERMINATED", "Terminated by user request")

    def add_steps(self, steps: list[dict[str, Any]]) -> list[WorkedStep]:
        # moto takes steps on a cluster that has ended, and calls the first one RUNNING for ever.
        if self.state in _ENDED:
            raise ValidationException(
                "A job flow that is shutting down, terminated, or finished may not be modified."
            )
        added = [WorkedStep(state="PENDING", **step) for step in steps]
        self.steps.extend(added)
        if added and self.state == "WAITING":
            self.state = "RUNNING"
        return added

    def turn_step(self, step_id: str, state: str, log_file: str = "") -> None:
        """Take the state of a step that a node reports, and do what follows from it."""
        (step,) = [each for each in self.steps if each.id == step_id]
        step.state = state
        if state == "RUNNING":
            step.start()
        else:
            step.end_date_time = utcnow()
        if state == "FAILED":
            step.log_file = log_file
            if step.action_on_failure == "CANCEL_AND_WAIT":
                self._cancel_pending()
        works = any(each.state in ("PENDING", "RUNNING") for each in self.steps)
        self.state = "RUNNING" if works else "WAITING"

    def _cancel_pending(self) -> None:
        for step in self.steps:
            if step.state == "PENDING":
                step.state = "CANCELLED"

    def nodes(self, kind: str | None) -> list[dict[str, Any]]:
        """Return the instances of a kind of fleet, or all, as ListInstances tells them."""
        return [
            _node(fleet, number, self.creation_datetime, self.ready_datetime, self.end_datetime)
            for fleet in self.instance_fleets
            if kind in (None, fleet["InstanceFleetType"])
            for number in range(fleet["n_nodes"])
        ]


def _bootstrap_action(given: dict[str, Any]) -> dict[str, Any]:
    script = given["ScriptBootstrapAction"]
    action = {"path": script["Path"], "args": script["Args"]}
    return {"name": given["Name"], "script_bootstrap_action": action}


def _configuration(given: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as EMR tells it: CloudFormation has another word for the settings."""
    return {
        "Classification": given["Classification"],
        "Properties": given.get("ConfigurationProperties", {}),
        "Configurations": [_configuration(each) for each in given.get("Configurations", ())],
    }


def _fleet(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    on_demand = int(given.get("TargetOnDemandCapacity", 0))
    spot = int(given.get("TargetSpotCapacity", 0))
    return {
        "Id": f"if-{random_instance_group_id()[3:]}",
        "Name": given["Name"],
        "InstanceFleetType": kind,
        "TargetOnDemandCapacity": on_demand,
        "TargetSpotCapacity": spot,
        "ProvisionedOnDemandCapacity": on_demand,
        "ProvisionedSpotCapacity": spot,
        "InstanceTypeSpecifications": [
            {
                "InstanceType": each["InstanceType"],
                "WeightedCapacity": int(each["WeightedCapacity"]),
                "EbsBlockDevices": [
                    {"VolumeSpecification": _volume(device["VolumeSpecification"])}
                    for device in each["EbsConfiguration"]["EbsBlockDeviceConfigs"]
                ],
            }
            for each in given["InstanceTypeConfigs"]
        ],
        "n_nodes": on_demand + spot,
    }


def _volume(given: dict[str, Any]) -> dict[str, Any]:
    return {"VolumeType": given["VolumeType"], "SizeInGB": int(given["SizeInGB"])}


def _node(
    fleet: dict[str, Any],
    number: int,
    created: datetime,
    ready: datetime | None,
    ended: datetime | None,
) -> dict[str, Any]:
    timeline = {"CreationDateTime": created, "ReadyDateTime": ready, "EndDateTime": ended}
    state = "TERMINATED" if ended else "RUNNING" if ready else "BOOTSTRAPPING"
    return {
        "Id": f"ci-{fleet['Id'][3:]}{number}",
        "InstanceFleetId": fleet["Id"],
        # EMR takes the first that is there in an emulated AWS, where every type is.
        "InstanceType": fleet["InstanceTypeSpecifications"][0]["InstanceType"],
        "Market": "SPOT" if fleet["TargetSpotCapacity"] else "ON_DEMAND",
        "Status": {"State": state, "Timeline": timeline},
    }
