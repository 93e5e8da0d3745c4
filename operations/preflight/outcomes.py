"""What came of a check, and how it is told."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.plan.compute import WIDTH
from operations.preflight.facts import Unanswered


class Level(StrEnum):
    """A warning lets the deployment go on, a failure does not."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.  ``fix`` is the command that mends it, or empty."""

    level: Level
    check: str
    sentence: str
    fix: str = ""

    def lines(self) -> list[str]:
        """Return the sentence beside its level, and below it the command: whole, to be copied."""
        start = f"  {self.level:<8} {self.check:<15} "
        told = textwrap.wrap(
            self.sentence,
            WIDTH,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return [*told, f"{' ' * len(start)}{self.fix}"] if self.fix else told


def unanswered(check: str, answer: Unanswered) -> Outcome:
    """Return a warning that a check could not be made, which is not a pass; a failure if final."""
    if answer.is_final:
        return Outcome(Level.FAILED, check, answer.reason)
    return Outcome(Level.WARNING, check, f"not checked: {answer.reason}")


def text_of(heading: str, outcomes: Sequence[Outcome]) -> str:
    """Return the heading and the lines of every outcome."""
    return "\n".join([heading, "", *(line for each in outcomes for line in each.lines())])


def closing_sentence(outcomes: Sequence[Outcome]) -> str | None:
    """Return what is said last where a check failed, or None."""
    failed = [outcome.check for outcome in outcomes if outcome.level is Level.FAILED]
    if not failed:
        return None
    checks = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
    return (
        f"{checks} failed before anything was made ({', '.join(failed)}); do what stands there and "
        "give the same command"
    )
