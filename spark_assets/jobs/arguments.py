"""The options of every command: the same names everywhere, parsed to values."""

import argparse

from spark_assets.chain.options import (
    DEFAULT_MAX_REJECTED,
    DEFAULT_N_COMPONENTS,
    FeaturizeOptions,
    ReduceOptions,
    ReportOptions,
)
from spark_assets.features.engines import EngineName
from spark_assets.features.feature_model import IMAGE_SIZES_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits
from spark_assets.jobs.argument_types import (
    alpha,
    as_argparse_type,
    positive_float,
    positive_int,
    share,
)
from spark_assets.pca.drift import DEFAULT_ALARM_RATE, parse_alarm_rate
from spark_assets.pca.model import parse_n_components
from spark_assets.storage.locations import parse_location
from spark_assets.text.system_language import LANGUAGES, system_language

# The other defaults are those of the values that the options become.
DEFAULT_MAX_POINTS = 1000
_LIMITS = ImageLimits()
_REQUEST = FeatureModelRequest()
_LABELS = LabelRule()
_MIB = 1024**2


def add_common(parser: argparse.ArgumentParser, *, output_required: bool = True) -> None:
    """Add what every command that runs on Spark takes."""
    add_output(parser, required=output_required)
    parser.add_argument(
        "--master", metavar="URL", help="Spark master (default: local[*], this machine)"
    )


def add_output(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add what every command that writes an output takes."""
    parser.add_argument(
        "--output", required=required, metavar="URI", help="folder or s3:// prefix of the results"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait while another command writes to the output"
    )


def add_featurize(parser: argparse.ArgumentParser) -> None:
    """Add the options of the featurize job."""
    parser.add_argument(
        "--images", required=True, metavar="URI", help="folder or s3:// prefix of the photographs"
    )
    parser.add_argument(
        "--anonymous",
        action="store_true",
        help="read the photographs of a public bucket without credentials",
    )
    parser.add_argument(
        "--image-list", metavar="URI", help="text, CSV or Parquet list of images to featurize"
    )
    add_weights(parser)
    parser.add_argument(
        "--model", metavar="URI", help="a feature model made by export-model, instead of weights"
    )
    parser.add_argument(
        "--engine",
        type=EngineName,
        choices=list(EngineName),
        default=EngineName.LITERT,
        help="library that runs the network (default %(default)s)",
    )
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--label-level",
        type=positive_int,
        metavar="N",
        help="level of the folder that is the label: 1 the parent of the image, 2 the parent of "
        f"that (default {_LABELS.level})",
    )
    labels.add_argument(
        "--label-regex",
        metavar="EXPRESSION",
        help="regular expression (RE2) on the path; its first group, or the match, is the label",
    )
    parser.add_argument(
        "--limit", type=positive_int, metavar="N", help="featurize the first N images only"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the results that the output contains"
    )
    missing = parser.add_mutually_exclusive_group()
    missing.add_argument(
        "--keep-missing",
        action="store_true",
        help="keep the rows of images deleted from --images",
    )
    missing.add_argument(
        "--confirm-missing",
        action="store_true",
        help="remove the rows of deleted images even if more than half are deleted",
    )
    parser.add_argument(
        "--max-rejected",
        type=share,
        default=DEFAULT_MAX_REJECTED,
        metavar="FRACTION",
        help="fraction of rejected images above which the exit code is 3 (default %(default)s)",
    )
    parser.add_argument(
        "--max-image-mib",
        type=positive_float,
        default=_LIMITS.max_bytes / _MIB,
        metavar="MIB",
        help="largest file in MiB; larger ones are rejected (default %(default)g)",
    )
    parser.add_argument(
        "--max-image-megapixels",
        type=positive_float,
        default=_LIMITS.max_megapixels,
        metavar="MP",
        help="largest image in megapixels; larger ones are rejected (default %(default)g)",
    )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the options of the network: weights, width and input size."""
    parser.add_argument(
        "--weights",
        default=_REQUEST.weights,
        metavar="imagenet|auto|random|PATH",
        help="weights of the network (default %(default)s); a PATH is a Keras .weights.h5",
    )
    parser.add_argument(
        "--alpha",
        type=alpha,
        default=_REQUEST.alpha,
        help="width of MobileNetV2 (default %(default)s)",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        choices=IMAGE_SIZES_PX,
        default=_REQUEST.image_size_px,
        help="side of the square that the network takes, in pixels (default %(default)s); "
        "time grows with its area, see docs/explanation/accuracy.md",
    )


def add_reduce(parser: argparse.ArgumentParser) -> None:
    """Add the options of the reduce job."""
    parser.add_argument(
        "--n-components",
        type=as_argparse_type(parse_n_components),
        metavar="K|FRACTION",
        help="number of components, or fraction of variance to keep (default: that of the "
        f"output's PCA model, {DEFAULT_N_COMPONENTS} without one)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--pca-model", metavar="URI", help="PCA model to project with, instead of the output's"
    )
    which.add_argument("--refit", action="store_true", help="refit the PCA on all current images")
    parser.add_argument(
        "--drift-alarm-rate",
        type=as_argparse_type(parse_alarm_rate),
        default=DEFAULT_ALARM_RATE,
        metavar="RATE",
        help="probability of a false drift alarm per run (default %(default)s)",
    )


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of the report job."""
    parser.add_argument(
        "--max-points",
        type=positive_int,
        default=DEFAULT_MAX_POINTS,
        metavar="N",
        help="largest number of images in the plots of the report (default %(default)s)",
    )
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default=system_language(),
        help="language of the report (default: that of the locale, here %(default)s)",
    )


def featurize_options(parsed: argparse.Namespace) -> FeaturizeOptions:
    """Return the values of a parsed command line.  Raises FruitsError for a bad URI."""
    return FeaturizeOptions(
        images=parse_location(parsed.images, anonymous=parsed.anonymous),
        output=parse_location(parsed.output),
        image_list=parsed.image_list,
        model=model_request(parsed),
        engine=parsed.engine,
        limits=ImageLimits(int(parsed.max_image_mib * _MIB), parsed.max_image_megapixels),
        labels=LabelRule(parsed.label_level or _LABELS.level, parsed.label_regex),
        limit=parsed.limit,
        max_rejected=parsed.max_rejected,
        overwrite=parsed.overwrite,
        keep_missing=parsed.keep_missing,
        confirm_missing=parsed.confirm_missing,
        verbose=parsed.verbose,
    )


def model_request(parsed: argparse.Namespace) -> FeatureModelRequest:
    """Return the requested network."""
    return FeatureModelRequest(
        parsed.weights, parsed.alpha, getattr(parsed, "model", None), parsed.image_size
    )


def reduce_options(parsed: argparse.Namespace) -> ReduceOptions:
    """Return the values of a parsed command line.  Raises FruitsError for a bad URI."""
    return ReduceOptions(
        output=parse_location(parsed.output),
        n_components=parsed.n_components,
        pca_model=parse_location(parsed.pca_model) if parsed.pca_model is not None else None,
        refit=parsed.refit,
        drift_alarm_rate=parsed.drift_alarm_rate,
    )


def report_options(parsed: argparse.Namespace) -> ReportOptions:
    """Return the values of a parsed command line.  Raises FruitsError for a bad URI."""
    return ReportOptions(
        output=parse_location(parsed.output),
        max_points=parsed.max_points,
        language=parsed.language,
    )
