"""What all benchmarks share: the sizes of one go, its folders, and inputs made once."""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import photographs, product
from benchmarks.seeded_weights import seeded_weights

ALPHA = 1.0
# The narrowest network that Keras has weights for: what is measured with it is all but the network.
NARROW_ALPHA = 0.35


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    n_images: int
    n_images_many: int
    n_few_images: int
    n_images_of_plain_script: tuple[int, ...]
    n_images_of_yardstick: tuple[int, ...]
    n_images_of_peers: tuple[int, ...]
    n_images_of_plain_processes: tuple[int, ...]
    n_large_images: int
    n_listed_files: int
    n_pca_rows: int
    n_pca_rows_many: int
    n_pca_features: int
    n_pca_components: int
    yardstick_partitions: int
    n_known: int
    n_new: int
    n_planned: int
    rounds: int
    pca_rounds: int


FULL = Sizes(
    n_images=4_000,
    n_images_many=40_000,
    n_few_images=245,
    n_images_of_plain_script=(100, 1_440),
    n_images_of_yardstick=(1_440, 10_000),
    n_images_of_peers=(2_000, 35_000),
    n_images_of_plain_processes=(10_000, 35_000),
    n_large_images=400,
    n_listed_files=200_000,
    n_pca_rows=35_000,  # more than the product computes without Spark
    n_pca_rows_many=1_000_000,
    n_pca_features=1280,
    n_pca_components=100,
    yardstick_partitions=20,
    n_known=100_000,
    n_new=100,
    n_planned=10_000_000,
    rounds=2,
    pca_rounds=3,
)
# Shows that everything runs; the figures mean nothing.
QUICK = Sizes(
    n_images=48,
    n_images_many=96,
    n_few_images=20,
    n_images_of_plain_script=(20,),
    n_images_of_yardstick=(48,),
    n_images_of_peers=(48,),
    n_images_of_plain_processes=(48,),
    n_large_images=4,
    n_listed_files=2_000,
    n_pca_rows=400,
    n_pca_rows_many=1_600,
    n_pca_features=64,
    n_pca_components=10,
    yardstick_partitions=2,
    n_known=60,
    n_new=20,
    n_planned=2_000,
    rounds=1,
    pca_rounds=1,
)


@dataclass(frozen=True, slots=True)
class Workbench:
    """Where inputs are kept from one go to the next, and runs until they are measured."""

    folder: Path
    sizes: Sizes

    @property
    def inputs(self) -> Path:
        return self.folder / "inputs"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def programs(self) -> Path:
        return self.folder / "programs"

    def images(self) -> Path:
        return self.some_images(self.sizes.n_images)

    def some_images(self, n_images: int) -> Path:
        return self._made("photographs", photographs.small_photographs, n_images)

    def many_images(self) -> Path:
        return self.some_images(self.sizes.n_images_many)

    def large_images(self) -> Path:
        return self._made(
            "12-megapixel photographs", photographs.large_photographs, self.sizes.n_large_images
        )

    def listed_tree(self) -> Path:
        return self._made("files to list", photographs.listed_tree, self.sizes.n_listed_files)

    def weights(self) -> Path:
        return seeded_weights(self.inputs, alpha=ALPHA)

    def model(self) -> Path:
        """Return the folder of the model artefact, made by ``fruits export-model``."""
        return product.export_model(self.weights(), ALPHA, self.inputs / "model")

    def narrow_model(self) -> Path:
        """Return the same of the narrowest network."""
        weights = seeded_weights(self.inputs, alpha=NARROW_ALPHA)
        return product.export_model(weights, NARROW_ALPHA, self.inputs / "narrow model")

    def network(self) -> tuple[str, ...]:
        """Return the options that name the network, as a user gives it."""
        return ("--weights", str(self.weights()), "--alpha", str(ALPHA))

    def cache(self) -> dict[str, str]:
        """Return the environment in which converted networks are kept from one run to the next."""
        return {"FRUITS_CACHE": str(self.folder / "cache")}

    def _made(self, what: str, make: Callable[[Path, int], Path], count: int) -> Path:
        echo(f"inputs: {count} {what}")
        folder = make(self.inputs, count)
        # Every competitor finds the files where the second one would: in the page cache.
        for path in folder.rglob("*.jpg"):
            path.read_bytes()
        return folder


def echo(message: str) -> None:
    """Tell the person who waits what is going on."""
    print(message, file=sys.stderr, flush=True)


def each(values: list[float], unit: str, *, digits: int = 1) -> str:
    """Write the rounds of one measurement: ``31.2, 30.8 s``."""
    return f"{', '.join(f'{value:.{digits}f}' for value in values)} {unit}"


def median_ratio(numerators: list[float], denominators: list[float]) -> float:
    """Return the median of the ratios, round by round: the machine's speed drifts between them."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))
