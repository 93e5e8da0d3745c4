"""The weights of the network: ``--weights``, ``--alpha`` and ``--model`` to a feature model."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import (
    IMAGE_SIZE_PX,
    FeatureModel,
    FeatureModelFacts,
    load_feature_model,
    model_folder,
)
from spark_assets.features.imagenet import IMAGENET_ALPHAS, WeightsNotAvailable, imagenet_weights
from spark_assets.features.network_cache import cached_network
from spark_assets.runtime.suppress_output import suppress_native_stderr
from spark_assets.storage.locations import parse_location

IMAGENET, AUTO, RANDOM = "imagenet", "auto", "random"
# The values of `FeatureModelFacts.weights` for each of them.
_KINDS_BY_REQUEST = {IMAGENET: ("imagenet",), AUTO: ("imagenet", "seeded"), RANDOM: ("seeded",)}
AUTO_TIMEOUT_S = 10.0
_CODE = ("spark_assets.features",)
_DRAWING = ("sample_photographs",)


@dataclass(frozen=True, slots=True)
class FeatureModelRequest:
    """The options that select a network: a ready model, or weights, width and image size."""

    weights: str = IMAGENET
    alpha: float = 1.0
    model_uri: str | None = None
    image_size_px: int = IMAGE_SIZE_PX

    def is_met_by(self, facts: FeatureModelFacts) -> bool:
        """Return whether an existing model is the requested one.

        False also where the requested model has to be made first to be compared.
        """
        if self.model_uri is not None or not self._has_shape_of(facts):
            return False
        if self.weights in _KINDS_BY_REQUEST:
            return facts.weights in _KINDS_BY_REQUEST[self.weights]
        path = Path(os.path.expanduser(self.weights))
        return path.is_file() and _sha256(path) == facts.weights_file_sha256

    def is_ruled_out_by(self, facts: FeatureModelFacts) -> bool:
        """Return whether an existing model cannot be the requested one."""
        if self.model_uri is not None:
            return False
        has_kind = self.weights in (AUTO, RANDOM)
        return not self._has_shape_of(facts) or (has_kind and not self.is_met_by(facts))

    def _check_published(self) -> None:
        """Raise FruitsError where Keras has no ImageNet weights of this width and size."""
        if self.alpha not in IMAGENET_ALPHAS:
            widths = ", ".join(f"{alpha:g}" for alpha in IMAGENET_ALPHAS)
            raise FruitsError(
                f"there are no ImageNet weights for alpha {self.alpha:g}; choose one of {widths}, "
                "or give --weights PATH or random"
            )
        if self.alpha > 1.0 and self.image_size_px < IMAGE_SIZE_PX:
            raise FruitsError(
                f"there are no ImageNet weights for alpha {self.alpha:g} and images of "
                f"{self.image_size_px} px; leave --image-size out, or give --weights PATH"
            )

    def _has_shape_of(self, facts: FeatureModelFacts) -> bool:
        return (facts.alpha, facts.image_size_px) == (self.alpha, self.image_size_px)

    def obtain(self, *, verbose: bool) -> FeatureModel:
        """Load or make the model.  Raises FruitsError where weights are missing or do not fit."""
        if self.model_uri is not None:
            return load_feature_model(model_folder(parse_location(self.model_uri)))
        if self.weights == RANDOM:
            return _seeded(self, verbose=verbose)
        if self.weights not in (IMAGENET, AUTO):
            path = Path(os.path.expanduser(self.weights))
            return _from_file(path, self, "file", path.name, verbose=verbose)
        self._check_published()
        timeout_s = AUTO_TIMEOUT_S if self.weights == AUTO else None
        try:
            path = imagenet_weights(self.alpha, self.image_size_px, timeout_s=timeout_s)
        except WeightsNotAvailable:
            if self.weights != AUTO:
                raise
            return _seeded(self, verbose=verbose)
        return _from_file(path, self, "imagenet", f"Keras: {path.name}", verbose=verbose)


def _from_file(
    path: Path,
    request: FeatureModelRequest,
    weights: str,
    weights_source: str,
    *,
    verbose: bool,
) -> FeatureModel:
    alpha, image_size_px = request.alpha, request.image_size_px
    sha256 = _sha256(path) if path.is_file() else None

    def make() -> FeatureModel:
        with suppress_native_stderr(verbose=verbose):
            # TensorFlow takes seconds to import, which a cached network saves.
            from spark_assets.features import keras_network

            net = keras_network.build_network(alpha, image_size_px)
            keras_network.load_weights(net, path, alpha=alpha)
            return keras_network.export(
                net,
                alpha=alpha,
                weights=weights,
                weights_source=weights_source,
                weights_file_sha256=sha256,
                warning=None,
            )

    made_from = f"{weights} {weights_source} {sha256} {alpha!r} {image_size_px}"
    return cached_network(made_from, _CODE, make)


def _seeded(request: FeatureModelRequest, *, verbose: bool) -> FeatureModel:
    alpha, image_size_px = request.alpha, request.image_size_px
    try:
        from sample_photographs.calibration_images import calibration_pixels
    except ModuleNotFoundError as error:
        raise FruitsError(
            "random weights are calibrated on synthetic photographs of the package "
            "sample_photographs, which is not installed; export the network on a machine that has "
            "it with: fruits export-model --weights random --output URI, and give --model URI here"
        ) from error

    def make() -> FeatureModel:
        pixels = calibration_pixels(image_size_px)  # the same everywhere, and so is the network
        with suppress_native_stderr(verbose=verbose):
            from spark_assets.features import keras_network

            net = keras_network.build_network(alpha, image_size_px)
            keras_network.seed_weights(net)
            keras_network.calibrate(net, pixels)
            return keras_network.export(
                net,
                alpha=alpha,
                weights="seeded",
                weights_source=(
                    f"seeded random weights, calibrated on {len(pixels)} synthetic photographs"
                ),
                weights_file_sha256=None,
                warning=keras_network.SEEDED_WARNING,
            )

    return cached_network(f"seeded {alpha!r} {image_size_px}", (*_CODE, *_DRAWING), make)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
