"""What the benchmarks report: figures beside their targets, and the table that shows them."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path


class NotMeasuredError(Exception):
    """A figure cannot be had on this machine; the message says why."""


class Bound(StrEnum):
    """Whether more is better."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure is meant to reach."""

    bound: Bound
    value: float
    unit: str = "x"

    def is_reached_by(self, value: float) -> bool:
        return value >= self.value if self.bound is Bound.AT_LEAST else value <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    ``value`` is in the unit of the target, None where it could not be measured; ``measured`` holds
    the absolute numbers behind it, or the reason why there are none.
    """

    name: str
    target: Target
    value: float | None
    measured: str

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "reached" if self.target.is_reached_by(self.value) else "**missed**"


def at_least(value: float, unit: str = "x") -> Target:
    return Target(Bound.AT_LEAST, value, unit)


def at_most(value: float, unit: str = "x") -> Target:
    return Target(Bound.AT_MOST, value, unit)


def markdown_table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table, one line each."""
    lines = ["| figure | target | here | | measured |", "|---|---|---|---|---|"]
    for figure in figures:
        value = "" if figure.value is None else f"**{figure.value:.3g} {figure.target.unit}**"
        cells = (figure.name, str(figure.target), value, figure.verdict, figure.measured)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def describe_machine() -> str:
    """Return one line on what the figures were measured with, naming no host and no user."""
    versions = ", ".join(
        f"{name} {version(package)}"
        for name, package in (
            ("Spark", "pyspark"),
            ("LiteRT", "ai-edge-litert"),
            ("numpy", "numpy"),
            ("Pillow", "pillow"),
        )
    )
    return (
        f"{os.cpu_count()} cores of {_cpu_model()}, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "an unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
