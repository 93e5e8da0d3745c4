"""Accuracy by network, size of image and data, with what a photograph takes and costs."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from operations.costs.cluster_costs import default_cluster
from operations.costs.run_costs import Work, estimate_run
from operations.costs.speed import load_speed
from spark_assets.features.engines import LiteRTEngine
from spark_assets.features.feature_model import FeatureModel, FeatureModelFacts
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.evaluation_record import RIDGE
from spark_assets.runtime.suppress_output import suppress_native_stderr
from studies.accuracy_2026_11.measured import Measured

_N_TIMED = 40
_N_ROUNDS = 3
_A_MILLION = 1_000_000
_COMPONENTS = 50


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of one processor for a photograph: to decode it, and to run the network once."""

    decode_s: float
    network_s: float


def measure_speed(photographs: Sequence[Path], model: FeatureModel) -> Speed:
    """Time the decoder and the network on one thread, the fastest of some rounds.

    By processor time: other programs on the machine halve the rate by the clock, and not this.
    """
    contents = [path.read_bytes() for path in photographs[:_N_TIMED]]
    with suppress_native_stderr():
        engine = LiteRTEngine(model.tflite)
    limits, size_px = ImageLimits(), model.facts.image_size_px
    rounds = []
    for _ in range(_N_ROUNDS):
        started = time.process_time()
        decoded = [decode_image(each, size_px=size_px, limits=limits).pixels for each in contents]
        between = time.process_time()
        engine(np.stack(decoded))
        rounds.append((between - started, time.process_time() - between))
    decode_s, network_s = np.min(rounds, axis=0) / len(contents)
    return Speed(float(decode_s), float(network_s))


def usd_per_million(images_per_second: float) -> float:
    """Return what a million small photographs would cost on the default cluster, at this speed.

    As ``fruits cost`` estimates it, with what one thread did here: Spark takes nothing of it that
    can be measured.
    """
    speed = load_speed()
    small, large = speed.photographs
    rate = replace(small.images_per_second, value=images_per_second)
    here = replace(speed, photographs=(replace(small, images_per_second=rate), large))
    work = Work(_A_MILLION, small.megapixels)
    return estimate_run(work, default_cluster(), speed=here).usd_per_million


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


ACCURACY_HEADER = (
    "data", "alpha", "px", "tested", "accuracy (95 % interval)", "balanced", "calibration error",
    "false unknown", "components", "accuracy: 50 components", "95 % of the variance",
    "all features",
)  # fmt: skip


def accuracy_row(measured: Measured, facts: FeatureModelFacts) -> list[str]:
    """Return a row of the table of accuracies."""
    evaluation = measured.evaluated.evaluation
    best = evaluation.main_score
    of_ridge = [point for point in evaluation.curve if point.classifier == RIDGE]
    fifty = next(each for each in of_ridge if each.n_components == _COMPONENTS)
    of_share = next(each for each in of_ridge if each.share is not None)
    of_all = next(
        each for each in evaluation.scores if (each.classifier, each.n_components) == (RIDGE, None)
    )
    n_components = "all" if best.n_components is None else str(best.n_components)
    return [
        measured.split.name,
        str(facts.alpha),
        str(facts.image_size_px),
        str(evaluation.n_tested),
        f"{best.accuracy:.3f} ({best.low:.3f} to {best.high:.3f})",
        f"{best.balanced_accuracy:.3f}",
        f"{evaluation.calibration_error:.3f}",
        percent(measured.unknown_rate(measured.split.test)),
        n_components,
        f"{fifty.accuracy:.3f}",
        f"{of_share.accuracy:.3f} ({of_share.n_components})",
        f"{of_all.accuracy:.3f}",
    ]


def percent(share: float) -> str:
    """Return a share as it is printed."""
    return f"{100 * share:.1f} %"


SPEED_HEADER = (
    "alpha", "px", "ms to decode", "ms, network", "ms a photograph", "ms, with its mirror image",
    "USD per million",
)  # fmt: skip


def speed_row(speed: Speed, facts: FeatureModelFacts) -> list[str]:
    """Return a row of the table of speeds."""
    plain_s = speed.decode_s + speed.network_s
    seconds = (speed.decode_s, speed.network_s, plain_s, plain_s + speed.network_s)
    return [
        str(facts.alpha),
        str(facts.image_size_px),
        *(f"{1000 * each:.1f}" for each in seconds),
        f"{usd_per_million(1 / plain_s):.2f}",
    ]
