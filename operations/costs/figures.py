"""A figure with its unit and its source: what was read, what was measured, what is assumed."""

from dataclasses import dataclass

_ASSUMPTION = "assumption: "


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: ``source`` says where it was read or measured, or begins with ``assumption:``."""

    value: float
    unit: str
    source: str

    @property
    def assumption(self) -> str | None:
        """What is assumed, as words that can be printed; None for a figure that has a source."""
        if not self.source.startswith(_ASSUMPTION):
            return None
        return self.source.removeprefix(_ASSUMPTION)
