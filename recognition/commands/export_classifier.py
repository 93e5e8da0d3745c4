"""The command ``fruits export-classifier``: a classifier that a phone application can carry."""

import argparse

from recognition.classifier.classifier_files import load_classifier
from recognition.classifier.exported_classifier import write_exported
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
    """Write network, PCA and classifier as one flatbuffer, with the labels of its outputs."""
    output, target = Output.open(parse_location(parsed.output)), parse_location(parsed.to)
    classifier, record = load_classifier(output)
    network = load_feature_model(output.folder(FEATURE_MODEL))
    with suppress_native_stderr():
        from recognition.classifier.export_tflite import export_tflite

        tflite = export_tflite(network, classifier)
    n_bytes = write_exported(
        target, classifier, record, tflite=tflite, image_size_px=network.facts.image_size_px
    )
    varieties = f", {record.n_varieties} varieties" if record.n_varieties else ""
    echo(
        f"{record.n_labels} labels{varieties} and {len(classifier.reference)} reference "
        f"photographs: {target.uri}, {ENGLISH.size(n_bytes)}"
    )
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)
