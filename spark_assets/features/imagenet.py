"""Keras' ImageNet weights of MobileNetV2: downloaded once, verified at every use."""

import base64
import hashlib
import os
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.storage.locations import user_folder

# Widths for which Keras publishes weights.
IMAGENET_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)

_BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/"
_CHUNK_BYTES = 256 * 1024
# The digest of one file is known; those of others are pinned at their first download, which is
# checked against the MD5 of the server.
_SHA256_BY_NAME = {
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5": (
        "67c0e48867690db783f6eeac50b5f22cebf5d578f8ec07319fd300a6aabd9488"
    )
}


class WeightsNotAvailable(FruitsError):
    """The weights are not in the cache and cannot be downloaded."""


def imagenet_weights(
    alpha: float, image_size_px: int = IMAGE_SIZE_PX, *, timeout_s: float | None
) -> Path:
    """Return the path of the weights in Keras' cache, downloaded if need be.

    Keras publishes files for 96 to 224 pixels.  Above that it is the one for 224: no weight has a
    dimension of the image, so that the file fits every size.

    ``timeout_s`` bounds the whole download, name look-up included.

    Raises WeightsNotAvailable where they cannot be had, FruitsError where the cached file is not
    the one that was downloaded.
    """
    trained_px = min(image_size_px, IMAGE_SIZE_PX)
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{trained_px}_no_top.h5"
    keras_home = Path(os.environ.get("KERAS_HOME") or user_folder() / ".keras")
    path = keras_home / "models" / name
    if not path.exists():
        _download_in_time(_BASE_URL + name, path, timeout_s)
    _verify(path)
    return path


def _download_in_time(url: str, path: Path, timeout_s: float | None) -> None:
    """Download in another thread, because a name look-up cannot be interrupted."""
    failure: list[Exception] = []
    deadline = None if timeout_s is None else time.monotonic() + timeout_s

    def work() -> None:
        try:
            _download(url, path, deadline)
        except (OSError, ValueError) as error:
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        failure.append(TimeoutError(f"no answer within {timeout_s:g} s"))
    if failure:
        raise WeightsNotAvailable(
            f"the ImageNet weights {path.name} are not in the cache and cannot be downloaded "
            f"({_reason_of(failure[0])}); connect to the Internet, or give --weights PATH, "
            "or --weights auto to go on with seeded ones"
        )


def _download(url: str, path: Path, deadline: float | None) -> None:
    md5, partial = hashlib.md5(usedforsecurity=False), path.with_suffix(".partial")
    with urllib.request.urlopen(url, timeout=10) as response:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError("the download was too slow")
                md5.update(chunk)
                file.write(chunk)
        hashes = response.headers.get_all("x-goog-hash") or []
    digests = [value.partition("=")[2] for value in hashes if value.startswith("md5=")]
    if digests and base64.b64decode(digests[0]) != md5.digest():
        partial.unlink()
        raise ValueError("the download is damaged")
    partial.replace(path)


def _verify(path: Path) -> None:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    pin = path.with_suffix(".sha256")
    expected = _SHA256_BY_NAME.get(path.name) or (pin.read_text().strip() if pin.exists() else None)
    if expected is None:
        pin.write_text(f"{sha256}\n")
    elif sha256 != expected:
        raise FruitsError(
            f"the cached weights {path} are damaged (their sha256 has changed); "
            "delete the file and run the command again"
        )


def _reason_of(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(reason).split()) or type(error).__name__
