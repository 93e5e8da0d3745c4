"""Findings of the preflight, and how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.plain_text import join, wrap


class Computing(StrEnum):
    """The stacks that compute."""

    COMPUTE = "compute"
    SERVERLESS = "serverless"


class Level(StrEnum):
    """A failure stops the deployment, a warning does not."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of a check.  ``fix`` is the command that helps, or empty."""

    level: Level
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check's name beside its finding."""

    check: str
    finding: Finding

    @property
    def has_failed(self) -> bool:
        return self.finding.level is Level.FAILED

    def lines(self) -> list[str]:
        """Return the sentence beside its level, and the command below it, whole to be copied."""
        start = f"  {self.finding.level:<8} {self.check:<15} "
        indent = " " * len(start)
        fix = [f"{indent}{self.finding.fix}"] if self.finding.fix else []
        return wrap(self.finding.sentence, first=start, rest=indent) + fix


def passed(sentence: str) -> Finding:
    """Return a finding that nothing is in the way."""
    return Finding(Level.OK, sentence)


def warning(sentence: str, fix: str = "") -> Finding:
    """Return a finding that lets the deployment go on."""
    return Finding(Level.WARNING, sentence, fix)


def failure(sentence: str, fix: str = "") -> Finding:
    """Return a finding that stops the deployment."""
    return Finding(Level.FAILED, sentence, fix)


def with_context(setting: str) -> str:
    """Return the option of ``fruits deploy`` that changes a setting of ``cdk.json``."""
    return f"-c {setting}"


def preflight_text(heading: str, outcomes: Sequence[Outcome]) -> str:
    """Return the heading and the lines of every outcome."""
    return join([[heading], [line for each in outcomes for line in each.lines()]])


def closing_sentence(outcomes: Sequence[Outcome]) -> str | None:
    """Return the sentence that names the failed checks; None if there are none."""
    failed = [each.check for each in outcomes if each.has_failed]
    if not failed:
        return None
    checks = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
    return (
        f"{checks} failed before anything was made ({', '.join(failed)}); follow the advice above "
        "and give the same command"
    )
