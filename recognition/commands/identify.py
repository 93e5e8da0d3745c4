"""The command ``fruits identify``: the label of photographs."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from recognition.classifier.exported_classifier import load_identifier
from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.images.rejection import ImageRejected
from spark_assets.jobs.command import Command, Kind
from spark_assets.storage.locations import parse_location
from spark_assets.text.printable import printable

_N_SHOWN = 3
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("photographs", nargs="+", metavar="PHOTO", help="a file with a photograph")
    parser.add_argument(
        "--output",
        required=True,
        metavar="URI",
        help="an output with a classifier of fruits evaluate, or a folder of "
        "fruits export-classifier",
    )
    parser.add_argument(
        "--json", action="store_true", help="a line of JSON for each photograph instead of text"
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Predict each photograph; go on after a rejected one."""
    _refuse_uris(parsed.photographs)
    identifier = load_identifier(parse_location(parsed.output))
    if identifier.record.warning is not None:
        print(f"WARNING: {identifier.record.warning}", file=sys.stderr)
    n_rejected = 0
    for name in parsed.photographs:
        try:
            prediction = identifier.identify(_read(name))
        except ImageRejected as rejected:
            n_rejected += 1
            print(_rejected(name, rejected, as_json=parsed.json), flush=True)
        else:
            as_text = (
                json.dumps(prediction_json(name, prediction))
                if parsed.json
                else prediction_text(name, prediction)
            )
            print(as_text, flush=True)
    return ExitCode.TOO_MANY_REJECTED if n_rejected else ExitCode.DONE


def _refuse_uris(names: Sequence[str]) -> None:
    for name in names:
        if _URI.match(name) and not os.path.exists(name):
            raise FruitsError(
                f"{printable(name)} is a URI, and identify takes local files; "
                "copy the photograph here and give its path"
            )


def _read(name: str) -> bytes:
    """Read a photograph, of one over the limit one byte more than the limit.

    Raises FruitsError where there is no such file.
    """
    try:
        with open(name, "rb") as file:
            return file.read(DEFAULT_LIMITS.max_bytes + 1)
    except OSError as error:
        raise FruitsError(
            f"{printable(name)} cannot be read: {error.strerror}; give a file with a photograph"
        ) from error


def _rejected(name: str, rejected: ImageRejected, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            {"photograph": name, "rejected": str(rejected.reason), "detail": rejected.detail}
        )
    return f"{printable(name)}: rejected, {rejected.reason}: {rejected.detail}"


def prediction_text(name: str, prediction: Prediction) -> str:
    """Return a prediction as a line, and a line for each of the nearest reference photographs."""
    found = (
        f"unknown (top label: {printable(prediction.top_label)})"
        if prediction.label is None
        else _named(prediction.label, prediction)
    )
    neighbors = [
        f"  similarity {each.similarity:.3f}: {printable(each.path)} ({printable(each.label)})"
        for each in prediction.neighbors[:_N_SHOWN]
    ]
    return "\n".join([f"{printable(name)}: {found}", *neighbors])


def _named(label: str, prediction: Prediction) -> str:
    """Return a label with its probability, or with the variety and that of both."""
    if prediction.variety is None or prediction.variety_probability is None:
        return f"{printable(label)}, {100 * prediction.probability:.0f} %"
    percent = f"{100 * prediction.variety_probability:.0f} %"
    return f"{printable(label)} ({printable(prediction.variety)}), {percent}"


def prediction_json(name: str, prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as plain values."""
    return {
        "photograph": name,
        "label": prediction.label,
        "top_label": prediction.top_label,
        "probability": prediction.probability,
        "variety": prediction.variety,
        "variety_probability": prediction.variety_probability,
        "known_score": prediction.known_score,
        "neighbors": [
            {"path": each.path, "label": each.label, "similarity": each.similarity}
            for each in prediction.neighbors
        ],
        "point": list(prediction.point),
    }


COMMAND = Command(add_arguments, run, Kind.LOCAL)
