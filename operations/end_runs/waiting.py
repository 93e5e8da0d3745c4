"""Waiting for AWS, within a limit and with a line at each change."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from operations.aws.following import Clock, Sleep
from operations.aws.wording import duration
from spark_assets.runtime.progress import say


@dataclass(frozen=True, slots=True)
class Waiting:
    """Looks every ``interval_s`` seconds."""

    interval_s: float = 15
    sleep: Sleep = time.sleep
    clock: Clock = time.monotonic

    def pause(self) -> None:
        """Let one interval go by."""
        self.sleep(self.interval_s)

    def until_gone(
        self, kind: str, look: Callable[[], Mapping[str, str]], *, limit_minutes: float
    ) -> Mapping[str, str]:
        """Look until there is nothing more, and say each state that something comes to.

        ``look`` returns the state of each that is there, by its id.  Returns the last look: empty,
        but where the limit was reached before.
        """
        start = self.clock()
        told: dict[str, str] = {}
        while True:
            seen = look()
            states = {**dict.fromkeys(told, "gone"), **seen}
            for name, state in states.items():
                if told.get(name) != state:
                    say(f"{duration(self.clock() - start):>12}  {kind} {name} {state}")
            told = states
            if not seen or self.clock() - start >= limit_minutes * 60:
                return seen
            self.pause()
