"""A small interpreter of state machines, which stands in for Step Functions.

AWS itself runs none of this, and the emulator of the tests knows no tasks of EMR. It follows the
specification for what the project's definition uses, and refuses all else: Pass, Wait, Choice, Task
with Retry, Catch, TimeoutSeconds and the results' paths, variables, Succeed and Fail. A library
evaluates the expressions of JSONata.
"""

import copy
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jsonata import Jsonata

START = "2026-01-01T00:00:00.000Z"
RUN_NAME = "run-1"


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
    output: Any = None
    cause: Any = None
    elapsed_s: float = 0

    def called(self, action):
        """Return the parameters of the calls of an action, such as ``createCluster``."""
        return [given for name, given in self.calls if name.split(":")[-1].split(".")[0] == action]


@dataclass
class Machine:
    """A definition, and ``answer(state, action, parameters)`` in place of the services of AWS.

    An answer is a result, or a TaskError, or a number: the seconds that the task takes before it
    has an empty result.
    """

    definition: dict[str, Any]
    answer: Any
    now_s: float = 0
    states: list[str] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    def run(self, given=None, *, max_states=1000) -> Ended:
        data, name = given if given is not None else {}, self.definition["StartAt"]
        limit_s = self.definition["TimeoutSeconds"]
        for _ in range(max_states):
            state = self.definition["States"][name]
            self.states.append(name)
            if state["Type"] in ("Succeed", "Fail"):
                cause = self._value(state["CausePath"], data) if state["Type"] == "Fail" else None
                status = "SUCCEEDED" if state["Type"] == "Succeed" else "FAILED"
                return self._ended(status, data, cause)
            data, name = getattr(self, f"_{state['Type'].lower()}")(name, state, data)
            if self.now_s > limit_s:
                return self._ended("TIMED_OUT", data, None)
        raise AssertionError(f"no end after {max_states} states: {self.states[-10:]}")

    def _ended(self, status, data, cause):
        return Ended(status, self.states, self.calls, data, cause, self.now_s)

    def _pass(self, _, state, data):
        if state.get("QueryLanguage") == "JSONata":
            return self._evaluated(state["Output"], input=data), state["Next"]
        self._assign(state, data)
        result = state.get("Result", self._filled(state.get("Parameters", {}), data))
        return self._put(data, state.get("ResultPath", "$"), result), state["Next"]

    def _wait(self, _, state, data):
        self.now_s += state["Seconds"]
        return data, state["Next"]

    def _choice(self, _, state, data):
        chosen = (c["Next"] for c in state["Choices"] if self._holds(c, data))
        return data, next(chosen, state["Default"])

    def _task(self, name, state, data):
        tried: dict[int, int] = {}
        while True:
            try:
                return self._result(name, state, data), state["Next"]
            except TaskError as failed:
                if (wait_s := self._wait_before_retry(state, failed, tried)) is not None:
                    self.now_s += wait_s
                    continue
                for catcher in state.get("Catch", []):
                    if _names(catcher["ErrorEquals"], failed.error):
                        output = {"Error": failed.error, "Cause": failed.cause}
                        self._assign(catcher, data)
                        if "Output" in catcher:
                            kept = self._evaluated(
                                catcher["Output"], input=data, errorOutput=output
                            )
                        else:
                            kept = self._put(data, catcher["ResultPath"], output)
                        return kept, catcher["Next"]
                raise AssertionError(f"nothing catches {failed.error} of {name}") from failed

    def _wait_before_retry(self, state, failed, tried):
        for index, retrier in enumerate(state.get("Retry", [])):
            if _names(retrier["ErrorEquals"], failed.error):
                n = tried[index] = tried.get(index, 0) + 1
                if n > retrier["MaxAttempts"]:
                    return None
                return retrier["IntervalSeconds"] * retrier["BackoffRate"] ** (n - 1)
        return None

    def _result(self, name, state, data):
        is_jsonata = state.get("QueryLanguage") == "JSONata"
        if is_jsonata:
            parameters = self._evaluated(state["Arguments"], input=data)
        else:
            parameters = self._filled(state["Parameters"], data)
        action = state["Resource"].partition(":states:::")[2]
        self.calls.append((action, parameters))
        result = self.answer(name, action, parameters)
        if isinstance(result, TaskError):
            raise result
        if isinstance(result, (int, float)):
            path = state.get("TimeoutSecondsPath")
            limit_s = self._value(path, data) if path else state.get("TimeoutSeconds", 10**8)
            self.now_s += min(result, limit_s)
            if result > limit_s:
                raise TaskError("States.Timeout")
            result = {}
        if is_jsonata:
            return self._evaluated(state["Output"], input=data, result=result)
        if "ResultSelector" in state:
            result = self._filled(state["ResultSelector"], result)
        return self._put(data, state.get("ResultPath", "$"), result)

    def _filled(self, template, data):
        if isinstance(template, list):
            return [self._filled(each, data) for each in template]
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
            arguments = [self._argument(a.strip(), data) for a in _arguments(found[2])]
            return _INTRINSICS[found[1]](*arguments)
        if text.startswith("$$."):
            return _at(self._context(), text[1:])
        if found := re.fullmatch(r"\$(\w+)", text):
            return self.variables[found[1]]
        return _at(data, text)

    def _context(self):
        return {
            "Execution": {"Name": RUN_NAME, "StartTime": START},
            "State": {"Name": self.states[-1]},
            "StateMachine": {"Id": "arn:machine"},
        }

    def _assign(self, state, data):
        self.variables.update(self._filled(state.get("Assign", {}), data))

    def _evaluated(self, text, **states):
        """Evaluate an expression in ``{% %}``, at the time to which the run has come."""
        expression = Jsonata(re.fullmatch(r"\{% (.*) %\}", text, re.DOTALL)[1])
        expression.assign("states", copy.deepcopy({**states, "context": self._context()}))
        now_ms = datetime.fromisoformat(START).timestamp() * 1000 + self.now_s * 1000
        expression.register_lambda("millis", lambda: now_ms)
        return expression.evaluate(None)

    def _argument(self, text, data):
        if text.startswith("'"):
            return text[1:-1]
        return self._value(text, data) if text[0] in "$S" else json.loads(text)

    def _holds(self, rule, data):
        if "Not" in rule:
            return not self._holds(rule["Not"], data)
        if "And" in rule:
            return all(self._holds(each, data) for each in rule["And"])
        (operator,) = rule.keys() - {"Variable", "Next"}
        if operator == "IsPresent":
            return _is_there(data, rule["Variable"]) is rule[operator]
        value = _at(data, rule["Variable"])
        return {
            "NumericGreaterThan": value > rule[operator],
            "NumericGreaterThanEquals": value >= rule[operator],
        }[operator]

    def _put(self, data, path, result):
        if path is None:
            return data
        if path == "$":
            return result
        *parents, last = path.removeprefix("$.").split(".")
        data = copy.deepcopy(data)
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = result
        return data


_INTRINSICS = {
    "Array": lambda *values: list(values),
    "ArrayLength": len,
    "Format": lambda text, *values: text.format(*values),
    "JsonToString": json.dumps,
    "MathAdd": lambda a, b: a + b,
}


def _names(errors, error):
    """Tell whether a retrier or catcher is for an error; a time-out is no failure of a task."""
    general = {"States.ALL"} | ({"States.TaskFailed"} if error != "States.Timeout" else set())
    return bool(set(errors) & ({error} | general))


def _arguments(text):
    return re.findall(r"'[^']*'|[^,'(]+\([^)]*\)|[^,']+", text)


def _at(data, path):
    for step in re.findall(r"\.(\w+)|\[(\d+|\*)\]", path):
        name, index = step
        if name:
            data = [each[name] for each in data] if isinstance(data, list) else data[name]
        elif index != "*":
            data = data[int(index)]
    return data


def _is_there(data, path):
    try:
        _at(data, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True
