"""Speed of the chain: the dated measurements and assumptions of ``speed.json``."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from operations.costs.prices import Figure, figures_of, read_asset

# The side of the network's input in every measurement.
MEASURED_AT_PX = 224


@dataclass(frozen=True, slots=True)
class MeasuredPhotographs:
    """Photographs of one size, and the images per second of one vCPU."""

    megapixels: float
    megabytes: float
    images_per_second: Figure

    @property
    def seconds_per_image(self) -> float:
        return 1 / self.images_per_second.value


@dataclass(frozen=True, slots=True)
class Speed:
    """The figures of ``speed.json``; units stand there.

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

    @property
    def figures(self) -> list[Figure]:
        """Every figure but those of ``photographs``, in the order of the fields."""
        return figures_of(self)

    def vcpu_seconds_per_image(
        self, megapixels: float, image_size_px: int = MEASURED_AT_PX
    ) -> float:
        """Return the seconds of one vCPU for one image.

        Linear in the megapixels through both measured sizes, constant below the smaller one.  The
        network's part, measured at 224 x 224 pixels, is proportional to the area of its input.
        """
        small, large = self.photographs
        share = (megapixels - small.megapixels) / (large.megapixels - small.megapixels)
        slope = large.seconds_per_image - small.seconds_per_image
        larger_s = self.network.value * ((image_size_px / MEASURED_AT_PX) ** 2 - 1)
        image_s = small.seconds_per_image + max(0.0, share) * slope + larger_s
        return image_s / self.vcpu.value

    def megapixels_of(self, megabytes: float) -> float:
        """Return the megapixels of a photograph by its size, linear through the measured ones."""
        small, large = self.photographs
        share = (megabytes - small.megabytes) / (large.megabytes - small.megabytes)
        return small.megapixels + max(0.0, share) * (large.megapixels - small.megapixels)

    def megabytes_of(self, megapixels: float) -> float:
        """Return the size of a photograph: the inverse of `megapixels_of`."""
        small, large = self.photographs
        share = (megapixels - small.megapixels) / (large.megapixels - small.megapixels)
        return small.megabytes + max(0.0, share) * (large.megabytes - small.megabytes)


@cache
def load_speed() -> Speed:
    """Return the figures of ``speed.json``."""
    content = read_asset("speed.json")
    small, large = (
        MeasuredPhotographs(
            each["megapixels"], each["megabytes"], Figure(**each["images_per_second"])
        )
        for each in content.pop("photographs")
    )
    measured = content.pop("measured")
    rest: dict[str, Any] = {name: Figure(**entry) for name, entry in content.items()}
    return Speed(measured=measured, photographs=(small, large), **rest)
