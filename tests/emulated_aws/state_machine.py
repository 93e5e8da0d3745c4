"""A small interpreter of state machines, which stands in for Step Functions.

AWS itself runs none of this, and moto knows no job runs of EMR Serverless.  It follows the
specification for what the project's definition uses, and refuses all else: Task with Retry, Catch
and the results' paths, variables, intrinsic functions, Succeed and Fail.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

RUN_NAME = "run-1"
EXECUTION_ID = (
    f"arn:aws:states:eu-central-1:111122223333:execution:fruits-test-serverless:{RUN_NAME}"
)
_TASK_FIELDS = {"Type", "Next", "Resource", "Parameters", "ResultPath", "Retry", "Catch"}


class TaskError(Exception):
    """What a task of a script fails with."""

    def __init__(self, error, cause=""):
        super().__init__(error)
        self.error, self.cause = error, cause


@dataclass
class Ended:
    """How an execution ended: its status, the states it went through, the calls it made."""

    status: str
    states: list[str]
    calls: list[tuple[str, Any]]
    output: Any
    cause: Any = None

    def called(self, action):
        """Return the parameters of the calls of an action, such as ``startJobRun``."""
        return [given for name, given in self.calls if name.split(":")[-1].split(".")[0] == action]


@dataclass
class Machine:
    """A definition, and ``answer(state, action, parameters)`` in place of the services of AWS.

    An answer is a result, or a TaskError.
    """

    definition: dict[str, Any]
    answer: Any
    execution_id: str = EXECUTION_ID
    states: list[str] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    def run(self, given=None) -> Ended:
        data, name = given if given is not None else {}, self.definition["StartAt"]
        while True:
            state = self.definition["States"][name]
            self.states.append(name)
            if state["Type"] == "Succeed":
                return Ended("SUCCEEDED", self.states, self.calls, data)
            if state["Type"] == "Fail":
                cause = self._value(state["CausePath"], data)
                return Ended("FAILED", self.states, self.calls, data, cause)
            data, name = self._task(name, state, data)

    def _task(self, name, state, data):
        assert state["Type"] == "Task", state
        assert state.keys() <= _TASK_FIELDS, state
        tried: dict[int, int] = {}
        while True:
            try:
                return _put(data, state, self._result(name, state, data)), state["Next"]
            except TaskError as failed:
                if _is_tried_again(state, failed, tried):
                    continue
                for catcher in state.get("Catch", []):
                    if _names(catcher["ErrorEquals"], failed.error):
                        self.variables.update(self._filled(catcher.get("Assign", {}), data))
                        output = {"Error": failed.error, "Cause": failed.cause}
                        return _put(data, catcher, output), catcher["Next"]
                raise AssertionError(f"nothing catches {failed.error} of {name}") from failed

    def _result(self, name, state, data):
        parameters = self._filled(state["Parameters"], data)
        action = state["Resource"].partition(":states:::")[2]
        self.calls.append((action, parameters))
        result = self.answer(name, action, parameters)
        if isinstance(result, TaskError):
            raise result
        return result

    def _filled(self, template, data):
        if not isinstance(template, dict):
            return template
        return dict(
            (key[:-2], self._value(value, data))
            if key.endswith(".$")
            else (key, self._filled(value, data))
            for key, value in template.items()
        )

    def _value(self, text, data):
        if found := re.fullmatch(r"States\.(\w+)\((.*)\)", text, re.DOTALL):
            arguments = [self._value(each, data) for each in _arguments(found[2])]
            return _INTRINSICS[found[1]](*arguments)
        if found := re.fullmatch(r"'(.*)'", text):
            return found[1]
        if text == "$":
            return data
        return self.variables[text[1:]] if text[1:] in self.variables else self._context()[text]

    def _context(self):
        return {
            "$$.Execution.Id": self.execution_id,
            "$$.Execution.Name": self.execution_id.rpartition(":")[2],
            "$$.State.Name": self.states[-1],
        }


_INTRINSICS = {
    "Format": lambda text, *values: text.format(*values),
    "Hash": lambda text, algorithm: hashlib.new(
        algorithm.replace("-", ""), text.encode()
    ).hexdigest(),
    "JsonToString": json.dumps,
}


def _arguments(text):
    """Split the arguments of an intrinsic function, of which one may be another."""
    found = re.findall(r"'[^']*'|\w+\.\w+\([^)]*\)|[^,\s']+", text)
    assert ", ".join(found) == text, text
    return found


def _put(data, state, result):
    """Return the data after a state or a catcher, whose path is null or all of them."""
    path = state.get("ResultPath", "$")
    assert path in (None, "$"), path
    return data if path is None else result


def _is_tried_again(state, failed, tried):
    for index, retrier in enumerate(state.get("Retry", [])):
        if _names(retrier["ErrorEquals"], failed.error):
            tried[index] = tried.get(index, 0) + 1
            return tried[index] <= retrier.get("MaxAttempts", 3)
    return False


def _names(errors, error):
    """Return whether a retrier or catcher is for an error; a time-out is no failure of a task."""
    general = {"States.ALL"} | ({"States.TaskFailed"} if error != "States.Timeout" else set())
    return bool(set(errors) & ({error} | general))
