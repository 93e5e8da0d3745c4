"""How long work takes: the dated measurements and assumptions of ``speed.json``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from operations.costs.figures import Figure
from operations.costs.prices import read_asset

# The side of the square that the network took when all was measured.
MEASURED_AT_PX = 224


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
    network: Figure
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
            self.network, self.vcpu, self.efficiency, self.cluster_start, self.bootstrap,
            self.steps_start, self.listing, self.reduction, self.tables, self.objects,
            self.serverless_start,
        )  # fmt: skip

    def vcpu_seconds_per_image(
        self, megapixels: float, image_size_px: int = MEASURED_AT_PX
    ) -> float:
        """Return the seconds of one vCPU for one image.

        On a straight line through the measured sizes of photographs, and for smaller ones that of
        the smallest.  They were measured at 224 x 224 pixels; the part of the network is in
        proportion to the area of its input.
        """
        small, large = self.photographs
        share = (megapixels - small.megapixels) / (large.megapixels - small.megapixels)
        slope = large.seconds_per_image - small.seconds_per_image
        larger_s = self.network.value * ((image_size_px / MEASURED_AT_PX) ** 2 - 1)
        image_s = small.seconds_per_image + max(0.0, share) * slope + larger_s
        return image_s / self.vcpu.value

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
