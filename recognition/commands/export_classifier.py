"""The command ``fruits export-classifier``: a classifier that a phone application can carry."""

import argparse

from recognition.classifier.exported_classifier import LabelSet, write_exported
from recognition.classifier.identifier import classifier_of
from recognition.classifier.variety_classifier import VarietySet
from spark_assets.errors import ExitCode
from spark_assets.features.feature_model import load_feature_model
from spark_assets.jobs.command import Command, Kind
from spark_assets.output.output import FEATURE_MODEL, Output
from spark_assets.runtime.progress import echo
from spark_assets.runtime.suppress_output import suppress_native_stderr
from spark_assets.storage.locations import parse_location
from spark_assets.text.languages import ENGLISH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--output", required=True, metavar="URI", help="an output with a classifier"
    )
    parser.add_argument("--to", required=True, metavar="URI", help="folder to export to")


def run(parsed: argparse.Namespace) -> ExitCode:
    """Fold network, PCA and classifier into one flatbuffer, and write it with what it means."""
    output, target = Output.open(parse_location(parsed.output)), parse_location(parsed.to)
    classifier, record = classifier_of(output)
    network = load_feature_model(output.folder(FEATURE_MODEL))
    with suppress_native_stderr():
        from recognition.classifier.export_tflite import export_tflite

        tflite = export_tflite(network, classifier)
    reference, varieties = classifier.reference, classifier.varieties
    known = VarietySet([], []) if varieties is None else varieties.known
    n_bytes = write_exported(
        target,
        tflite=tflite,
        label_set=LabelSet(
            list(classifier.linear.labels),
            reference.paths,
            reference.labels,
            known.labels,
            known.names,
        ),
        record=record,
        image_size_px=network.facts.image_size_px,
    )
    named = f", {len(known)} varieties" if len(known) else ""
    what = f"{record.n_labels} labels{named} and {len(reference)} reference photographs"
    echo(f"{what}: {target.uri}, {ENGLISH.size(n_bytes)}")
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)
