"""The audit on photographs with planted defects: what it finds, and what else it flags.

``python -m studies.audit_2026_11 --photographs FOLDER --weights FILE --alpha 0.35`` prints a table.
The folder holds two splits.  ``--cleanvision PYTHON`` names an interpreter that has CleanVision,
whose findings on the same photographs are put beside.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy import float32
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.figures import describe_machine
from benchmarks.workbench import echo
from recognition.audit.audit_findings import (
    findings_from_labels,
    findings_from_pairs,
    findings_from_statistics,
)
from recognition.audit.label_issues import audit_labels
from recognition.audit.measure import details_of, measure_photographs, settings_of
from recognition.audit.near_duplicates import find_duplicates
from recognition.audit.quality import MEASURED_PX, measure_quality, reduced
from recognition.audit.reduce_features import reduce_features
from recognition.audit.splits import split_photographs
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.engines import Engine, EngineName, build_engine, engine_spec
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import decode_image, decode_upright
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.findings_table import FindingKind
from spark_assets.storage.locations import Location, parse_location
from studies.audit_2026_11.planted_defects import Planted, plant

_SIZE_PX = 224
_BATCH = 64
_LIMITS = ImageLimits()
_CLEANVISION = Path(__file__).with_name("cleanvision_script.py")


@dataclass(frozen=True, slots=True)
class Flagged:
    """What was flagged: paths by kind, and for copies which path is said to be the same."""

    paths: Mapping[FindingKind, set[str]]
    pairs: set[frozenset[str]]


def audit(folder: Path, planted: Planted, features: Mapping[str, NDArray[float32]]) -> Flagged:
    """Do what ``fruits audit`` does with photographs that lie in a folder."""
    paths = sorted(planted.contents)
    labels = [planted.labels[path] for path in paths]
    matrix = np.stack([features[path] for path in paths])
    splits = split_photographs(paths, None)
    assert splits is not None
    measured = measure_photographs(parse_location(str(folder)), paths, _LIMITS)
    digests = [str(hash(planted.contents[path])) for path in paths]
    with threadpool_limits(1):
        started = time.perf_counter()
        vectors = reduce_features(matrix)
        pairs = find_duplicates(
            vectors, digests, measured.details, measured.settings, splits.number
        )
        compared = time.perf_counter()
        judged = audit_labels(vectors, labels, left_out=measured.defective)
        ended = time.perf_counter()
    echo(f"comparing {compared - started:.1f} s, labels {ended - compared:.1f} s")
    findings = [
        *findings_from_pairs(pairs, paths, labels, splits),
        *findings_from_labels(judged, paths, labels),
        *findings_from_statistics(measured, paths, labels),
    ]
    return Flagged(
        {kind: {each.path for each in findings if each.kind is kind} for kind in FindingKind},
        {frozenset((each.path, each.related_path)) for each in findings if each.related_path},
    )


def featurize(folder: Path, paths: Iterable[str], engine: Engine) -> dict[str, NDArray[float32]]:
    """Read, decode and featurize as a task does, on one core."""
    location = parse_location(str(folder))
    names = list(paths)
    features: list[NDArray[float32]] = []
    batch = []
    for image in ReadAhead().read(_entries(names), ImageReader(location, limits=_LIMITS)):
        assert isinstance(image.content, bytes)
        batch.append(decode_image(image.content, size_px=_SIZE_PX, limits=_LIMITS).pixels)
        if len(batch) == _BATCH:
            features.extend(engine(np.stack(batch)))
            batch.clear()
    if batch:
        features.extend(engine(np.stack(batch)))
    return dict(zip(names, features, strict=True))


def _entries(paths: Iterable[str]) -> list[ImageEntry]:
    return [ImageEntry(path, None, None) for path in paths]


def extra_time(
    folder: Path, paths: Sequence[str], engine: Engine, rounds: int
) -> tuple[float, float]:
    """Return the time of measuring photographs over that of featurizing them, on one core.

    The second ratio leaves out reading and decoding: what it would be within the featurizing task,
    where both are done already.  Medians of interleaved rounds.
    """
    apart, within = [], []
    location = parse_location(str(folder))
    for _ in range(rounds):
        started = time.process_time()
        featurize(folder, paths, engine)
        featurized = time.process_time() - started
        apart.append(_time_of_all(location, paths) / featurized)
        within.append(_time_to_measure(folder, paths) / featurized)
    return statistics.median(apart), statistics.median(within)


def _time_of_all(location: Location, paths: Sequence[str]) -> float:
    started = time.process_time()
    measure_photographs(location, paths, _LIMITS)
    return time.process_time() - started


def _time_to_measure(folder: Path, paths: Sequence[str]) -> float:
    contents = [(folder / path).read_bytes() for path in paths]
    images = [decode_upright(each, target_px=MEASURED_PX // 2, limits=_LIMITS) for each in contents]
    started = time.process_time()
    for content, image in zip(contents, images, strict=True):
        small = reduced(image.image)
        measure_quality(small, image.image.size)
        details_of(small)
        settings_of(content)
    return time.process_time() - started


def cleanvision(python: str, folder: Path) -> Flagged:
    """Return what CleanVision flags, by its script in another interpreter."""
    done = subprocess.run(
        [python, str(_CLEANVISION), str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FruitsError(f"{python} could not run CleanVision: {done.stderr.strip()[-300:]}")
    value = json.loads(done.stdout.splitlines()[-1])
    pairs = {
        frozenset(pair)
        for kind in (FindingKind.DUPLICATE, FindingKind.NEAR_DUPLICATE)
        for pair in value["pairs"].get(kind, [])
    }
    echo(f"CleanVision took {value['seconds']:.1f} s")
    return Flagged({FindingKind(kind): set(paths) for kind, paths in value["paths"].items()}, pairs)


@dataclass(frozen=True, slots=True)
class Score:
    """How one kind was found; a share is None where nothing was planted or flagged."""

    n_planted: int
    recall: float | None
    precision: float | None
    clean_flagged: float

    def cells(self) -> list[str]:
        shares = ("" if each is None else f"{each:.3f}" for each in (self.recall, self.precision))
        return [*shares, f"{self.clean_flagged:.1%}"]


def score(kind: FindingKind, planted: Planted, flagged: Flagged) -> Score:
    """Return how a kind was found.

    A copy is found where it and its source are said to be the same, by whichever kind of copy; a
    photograph is flagged with it rightly where it is one of the two.
    """
    wanted, paths, clean = planted.with_kind(kind), flagged.paths[kind], planted.clean()
    found_of_it, right = paths & wanted, paths & wanted
    if kind in (FindingKind.DUPLICATE, FindingKind.NEAR_DUPLICATE):
        copy_of = {frozenset((copy, source)): copy for copy, source in planted.sources.items()}
        found_of_it = {copy_of[pair] for pair in flagged.pairs & set(copy_of)} & wanted
        right = paths & {path for pair in flagged.pairs & set(copy_of) for path in pair}
    return Score(
        len(wanted),
        len(found_of_it) / len(wanted) if wanted else None,
        len(right) / len(paths) if wanted and paths else None,
        len(paths & clean) / len(clean),
    )


def clean_flagged(planted: Planted, flagged: Flagged) -> float:
    """Return the share of the photographs that nothing was done to, flagged with any defect.

    Similar views are left out: in another split, the next frame of a turning fruit is one.
    """
    clean = planted.clean()
    of_kind = flagged.paths.items()
    kinds = (paths for kind, paths in of_kind if kind is not FindingKind.SIMILAR_VIEW)
    return len(set().union(*kinds) & clean) / len(clean)


def table(planted: Planted, ours: Flagged, theirs: Flagged | None) -> str:
    """Return recall, precision and the share of clean photographs flagged, by kind."""
    lines = [
        "| kind | planted | recall | precision | clean flagged "
        "| CleanVision: recall | precision | clean flagged |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in FindingKind:
        ours_of_it = score(kind, planted, ours)
        is_theirs = theirs is not None and kind in theirs.paths
        other = score(kind, planted, theirs).cells() if theirs and is_theirs else ["", "", ""]
        cells = [kind.replace("_", " "), str(ours_of_it.n_planted), *ours_of_it.cells(), *other]
        lines.append(f"| {' | '.join(cells)} |")
    last = "" if theirs is None else f"{clean_flagged(planted, theirs):.1%}"
    ours_last = f"{clean_flagged(planted, ours):.1%}"
    lines.append(f"| any | {len(planted.kinds)} | | | {ours_last} | | | {last} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings, and what measuring costs."""
    parser = argparse.ArgumentParser(prog="studies.audit_2026_11", description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="folder of two splits")
    parser.add_argument("--weights", required=True, help="as in fruits run")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--label-level", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5, help="of the timing")
    parser.add_argument("--cleanvision", metavar="PYTHON", help="an interpreter that has it")
    arguments = parser.parse_args(argv)
    try:
        planted = plant(
            arguments.photographs, label_level=arguments.label_level, seed=arguments.seed
        )
        model = FeatureModelRequest(arguments.weights, arguments.alpha).obtain(verbose=False)
        engine = build_engine(engine_spec(model, EngineName.LITERT))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for path, content in planted.contents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            paths = sorted(planted.contents)
            ours = audit(folder, planted, featurize(folder, paths, engine))
            theirs = cleanvision(arguments.cleanvision, folder) if arguments.cleanvision else None
            apart, within = extra_time(folder, paths, engine, arguments.rounds)
    except FruitsError as error:
        echo(str(error))
        return ExitCode.FAILED
    print(
        f"{describe_machine()}\n\n{len(paths)} photographs; {planted.n_real_duplicates} that were "
        f"there twice to begin with are left out\n\n{table(planted, ours, theirs)}\n\n"
        f"measuring them: {apart:.1%} of the time of featurizing them, "
        f"{within:.1%} without reading and decoding"
    )
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
