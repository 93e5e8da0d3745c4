"""What is added to moto's CloudFormation as it makes a stack: it waits for the cluster."""

from moto.cloudformation.models import CloudFormationBackend, Stack

_describe_stacks_of_moto = CloudFormationBackend.describe_stacks


def add() -> None:
    """Put the additions into moto."""
    CloudFormationBackend.describe_stacks = _describe_stacks


def _describe_stacks(self: CloudFormationBackend, name_or_stack_id: str) -> list[Stack]:
    # moto looks once, as it begins, whether all that a stack names is there.
    stacks = _describe_stacks_of_moto(self, name_or_stack_id)
    for stack in stacks:
        if stack.status == "CREATE_IN_PROGRESS":
            _look_again(stack)
    return stacks


def _look_again(stack: Stack) -> None:
    ended = [
        resource
        for resource in stack.resource_map.values()
        if getattr(resource, "state", None) == "TERMINATED_WITH_ERRORS"
    ]
    if ended:
        # AWS deletes what it has made as well.
        stack.status = "CREATE_FAILED"
        stack._add_stack_event("CREATE_FAILED", ended[0].last_state_change_reason)
    else:
        stack.verify_readiness()
