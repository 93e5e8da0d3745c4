"""How long work takes: the dated measurements and assumptions of ``speed.json``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from operations.costs.figures import Figure
from operations.costs.prices import read_asset


@dataclass(frozen=True, slots=True)
class MeasuredPhotographs:
    """Photographs of one size: how large they are, and how many a vCPU does in a second."""

    megapixels: float
    megabytes: float
    images_per_second: Figure

    @property
    def seconds_per_image(self) -> float:
        return 1 / self.images_per_second.value


@dataclass(frozen=True, slots=True)
class Speed:
    """All figures of ``speed.json``; each says its unit.

    ``photographs`` are the smallest and the largest that were measured, in this order.
    """

    measured: str
    photographs: tuple[MeasuredPhotographs, MeasuredPhotographs]
    vcpu: Figure
    efficiency: Figure
    cluster_start: Figure
    bootstrap: Figure
    steps_start: Figure
    listing: Figure
    reduction: Figure
    tables: Figure
    objects: Figure
    serverless_start: Figure

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Speed":
        """Return the figures of a parsed ``speed.json``."""
        small, large = (
            MeasuredPhotographs(
                one["megapixels"], one["megabytes"], Figure(**one["images_per_second"])
            )
            for one in content["photographs"]
        )
        figures = {
            name: Figure(**entry)
            for name, entry in content.items()
            if name not in ("measured", "photographs")
        }
        return cls(measured=content["measured"], photographs=(small, large), **figures)

    @property
    def figures(self) -> Iterable[Figure]:
        """Every figure, in the order in which they are printed."""
        return (
            self.vcpu, self.efficiency, self.cluster_start, self.bootstrap, self.steps_start,
            self.listing, self.reduction, self.tables, self.objects, self.serverless_start,
        )  # fmt: skip

    def vcpu_seconds_per_image(self, megapixels: float) -> float:
        """Return what one image takes on one vCPU.

        On a straight line through what was measured, and for the smallest what was measured.
        """
        small, large = self.photographs
        share = (megapixels - small.megapixels) / (large.megapixels - small.megapixels)
        slope = large.seconds_per_image - small.seconds_per_image
        return (small.seconds_per_image + max(0.0, share) * slope) / self.vcpu.value

    def megapixels_of(self, megabytes: float) -> float:
        """Return how many megapixels a photograph of so many megabytes has, by what was drawn."""
        small, large = self.photographs
        share = (megabytes - small.megabytes) / (large.megabytes - small.megabytes)
        return small.megapixels + max(0.0, share) * (large.megapixels - small.megapixels)

    def megabytes_of(self, megapixels: float) -> float:
        """Return how large a photograph of so many megapixels is, the other way round."""
        small, large = self.photographs
        share = (megapixels - small.megapixels) / (large.megapixels - small.megapixels)
        return small.megabytes + max(0.0, share) * (large.megabytes - small.megabytes)


@cache
def load_speed() -> Speed:
    """Return the figures of ``speed.json``."""
    return Speed.from_json(read_asset("speed.json"))
