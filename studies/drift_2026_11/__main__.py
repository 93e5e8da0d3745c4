"""The drift alarm on photographs: how often it goes off with and without a drift.

``python -m studies.drift_2026_11 --photographs FOLDER --weights FILE --alpha 0.35`` prints a table.
With ``--others FOLDER`` batches are drawn from that folder alone: a change of camera or scene.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy import bool_, float32
from numpy.typing import NDArray

from benchmarks.workbench import echo
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.engines import Engine, EngineName, build_engine, engine_spec
from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import decode_upright
from spark_assets.images.rejection import ImageLimits
from spark_assets.pca.drift import (
    DEFAULT_ALARM_RATE,
    Batch,
    DriftReference,
    batch_fit,
    parse_alarm_rate,
)
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.reconstruction import Measures
from spark_assets.pca.statistics import PCAStatistics
from studies.drift_2026_11.image_changes import DRIFTS, Change

UNDRIFTED, NEW_FRUIT, OTHERS = "no drift", "a new fruit, 10 % of the batch", "other photographs"
_NEW_SHARE = 0.1

Features = NDArray[float32]


@dataclass(frozen=True, slots=True, eq=False)
class Photographs:
    """Features of the same photographs as they are and with each change, and their labels."""

    features: Mapping[str, Features]
    labels: NDArray[np.str_]

    @classmethod
    def featurize(
        cls, paths: Sequence[Path], engine: Engine, changes: Mapping[str, Change] = DRIFTS
    ) -> "Photographs":
        """Decode, change and featurize; the label is the name of the parent folder.

        Raises ImageRejected where a file is no image.
        """
        features: dict[str, list[Features]] = {kind: [] for kind in (UNDRIFTED, *changes)}
        for path in paths:
            upright = decode_upright(
                path.read_bytes(), target_px=IMAGE_SIZE_PX, limits=ImageLimits()
            )
            for kind, rows in features.items():
                image = changes[kind](upright.image) if kind in changes else upright.image
                square = replace(upright, image=image).square(IMAGE_SIZE_PX)
                rows.append(engine(np.asarray(square)[np.newaxis])[0])
        stacked = {kind: np.stack(rows) for kind, rows in features.items()}
        return cls(stacked, np.array([path.parent.name for path in paths]))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A PCA fitted on some photographs, its reference, and the numbers of all others."""

    model: PCAModel
    reference: DriftReference
    others: NDArray[np.int64]

    def is_alarmed(self, features: Features, alarm_rate: float) -> bool:
        batch = Batch(len(features), 0, Measures.of_new(self.model, features), frozenset())
        return batch_fit(self.reference, batch, alarm_rate=alarm_rate).alarm


def alarms(
    photographs: Photographs,
    batch_sizes: Sequence[int],
    *,
    n_batches: int,
    n_splits: int,
    kinds: Sequence[str] = (UNDRIFTED, NEW_FRUIT, *DRIFTS),
    others: Features | None = None,
    alarm_rate: float = DEFAULT_ALARM_RATE,
    seed: int = 0,
) -> dict[tuple[str, int], NDArray[bool_]]:
    """Return, for each kind of drift and size, which of ``n_batches`` raised an alarm.

    The photographs are split in halves at random, ``n_splits`` times; a PCA that keeps 95 % of the
    variance is fitted on one half, and batches are drawn from the other.  For a new fruit the
    labels take turns to be left out of the fitted half.  Batches of the kind ``OTHERS`` are drawn
    from ``others``, (n, n_features).
    """
    generator = np.random.default_rng(seed)
    alarmed: dict[tuple[str, int], list[bool]] = {
        (kind, size): [] for kind in kinds for size in batch_sizes
    }
    for number in range(n_splits):
        n_draws = n_batches // n_splits + (number < n_batches % n_splits)
        split = _split(photographs, np.zeros(len(photographs.labels), bool), generator)
        names = np.unique(photographs.labels)
        is_new = photographs.labels == names[number % len(names)]
        without = _split(photographs, is_new, generator) if NEW_FRUIT in kinds else split
        for (kind, size), found in alarmed.items():
            for _ in range(n_draws):
                if kind == NEW_FRUIT:
                    batch = _with_new(photographs, without, is_new, size, generator)
                    found.append(without.is_alarmed(batch, alarm_rate))
                elif kind == OTHERS and others is not None:
                    batch = generator.choice(others, size, replace=False)
                    found.append(split.is_alarmed(batch, alarm_rate))
                else:
                    drawn = generator.choice(split.others, size, replace=False)
                    batch = photographs.features[kind][drawn]
                    found.append(split.is_alarmed(batch, alarm_rate))
    return {key: np.array(found) for key, found in alarmed.items()}


def _with_new(
    photographs: Photographs,
    split: Split,
    is_new: NDArray[bool_],
    size: int,
    generator: np.random.Generator,
) -> Features:
    """Return a batch of known labels, and a tenth of it of the new one."""
    n_new = round(_NEW_SHARE * size)
    known = generator.choice(split.others, size - n_new, replace=False)
    new = generator.choice(np.flatnonzero(is_new), n_new, replace=False)
    batch: Features = photographs.features[UNDRIFTED][np.concatenate([known, new])]
    return batch


def _split(
    photographs: Photographs, left_out: NDArray[bool_], generator: np.random.Generator
) -> Split:
    features = photographs.features[UNDRIFTED]
    usable = generator.permutation(np.flatnonzero(~left_out))
    fitted, others = np.array_split(usable, 2)
    statistics = PCAStatistics.from_features(features[fitted])
    model = fit(statistics, 0.95)
    measures = Measures.of_fitted(statistics, model.n_components, features[fitted])
    return Split(model, DriftReference(measures, frozenset()), others)


def _featurize_below(folder: Path, engine: Engine, changes: Mapping[str, Change]) -> Photographs:
    paths = sorted(folder.rglob("*.jpg"))
    if not paths:
        raise FruitsError(f"{folder} holds no .jpg file; give a folder of photographs")
    echo(f"featurizing {len(paths)} photographs of {folder}: {', '.join([UNDRIFTED, *changes])}")
    return Photographs.featurize(paths, engine, changes)


def _table(alarmed: Mapping[tuple[str, int], NDArray[bool_]]) -> str:
    kinds = dict.fromkeys(kind for kind, _ in alarmed)
    sizes = dict.fromkeys(size for _, size in alarmed)
    lines = [
        f"| batches with an alarm | {' | '.join(f'of {size} images' for size in sizes)} |",
        f"|---|{'---|' * len(sizes)}",
    ]
    for kind in kinds:
        cells = (f"{100 * alarmed[kind, size].mean():.1f} %" for size in sizes)
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the share of batches with an alarm, for each drift and size of a batch."""
    parser = argparse.ArgumentParser(prog="studies.drift_2026_11", description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="folder of JPEG files")
    incoming = parser.add_mutually_exclusive_group()
    incoming.add_argument("--others", type=Path, help="folder of the photographs that come in")
    incoming.add_argument("--undrifted", action="store_true", help="measure false alarms alone")
    parser.add_argument("--weights", required=True, help="as in fruits run")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--alarm-rate", type=parse_alarm_rate, default=DEFAULT_ALARM_RATE)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    try:
        model = FeatureModelRequest(arguments.weights, arguments.alpha).obtain(verbose=False)
        engine = build_engine(engine_spec(model, EngineName.LITERT))
        others, kinds = None, (UNDRIFTED, NEW_FRUIT, *DRIFTS)
        if arguments.undrifted:
            kinds = (UNDRIFTED,)
        elif arguments.others is not None:
            kinds = (OTHERS,)
            others = _featurize_below(arguments.others, engine, {}).features[UNDRIFTED]
        changes = {kind: DRIFTS[kind] for kind in kinds if kind in DRIFTS}
        photographs = _featurize_below(arguments.photographs, engine, changes)
        echo(f"{arguments.batches} batches of each kind and size, {arguments.splits} fits")
        alarmed = alarms(
            photographs,
            arguments.batch_sizes,
            n_batches=arguments.batches,
            n_splits=arguments.splits,
            kinds=kinds,
            others=others,
            alarm_rate=arguments.alarm_rate,
            seed=arguments.seed,
        )
        print(_table(alarmed))
    except FruitsError as error:
        echo(str(error))
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
