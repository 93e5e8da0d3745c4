"""A service on a socket whose network is the mean colours of a photograph."""

import dataclasses
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import numpy as np
import uvicorn
from PIL import Image

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS, Identifier
from recognition.service.limits import ServiceLimits
from recognition.service.server import bound_socket, network_names, uvicorn_config
from recognition.service.service_errors import ServiceError
from recognition.service.web_app import Identify, WebApp
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits, ImageRejected
from spark_assets.images.thumbnails import thumbnail_jpeg
from tests.recognition.made_classifier import made_classifier, made_record

COLOURS = {"apple": (190, 40, 45), "banana": (225, 205, 60), "plum": (95, 45, 120)}
N_OF_LABEL = 8
_SIZE_PX = 32
_CELLS = 4
LIMITS = ServiceLimits(max_bytes=200_000, max_megapixels=1.0)


def photograph(label: str, seed: int = 0, file_format: str = "JPEG", **options: Any) -> bytes:
    """Return a round thing in the colour of a label, on white, never twice the same."""
    return encoded(fruit(COLOURS[label], seed), file_format, **options)


def fruit(colour: tuple[int, int, int], seed: int = 0, size_px: int = 96) -> Image.Image:
    rng = np.random.default_rng([seed, *colour])
    y, x = np.mgrid[:size_px, :size_px] / size_px - 0.5 + rng.uniform(-0.05, 0.05)
    inside = (x**2 + y**2 < 0.16)[..., np.newaxis]
    shade = 1.0 - 0.8 * (x + y)[..., np.newaxis] ** 2 + 0.03 * rng.normal(size=(*x.shape, 1))
    pixels = np.where(inside, np.asarray(colour) * shade, 255.0)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, file_format, **options)
    return target.getvalue()


class ColourIdentifier(Identifier):
    """Names fruit by colour."""

    def __init__(self) -> None:
        labels = [label for label in COLOURS for _ in range(N_OF_LABEL)]
        contents = [photograph(label, 100 + n) for n, label in enumerate(labels)]
        features = np.concatenate([_features(each, DEFAULT_LIMITS) for each in contents])
        paths = [f"{label}/{n}.jpg" for n, label in enumerate(labels)]
        classifier = made_classifier(features, paths, labels)
        thumbnails: list[bytes | None] = [thumbnail_jpeg(each, DEFAULT_LIMITS) for each in contents]
        thumbnails[0] = None
        reference = dataclasses.replace(classifier.reference, thumbnails=thumbnails)
        # 24 photographs are too few for a threshold: of these none is below -20, a blue one is -70.
        detector = dataclasses.replace(classifier.unknown_detector, threshold=-30.0)
        self.classifier = dataclasses.replace(
            classifier, reference=reference, unknown_detector=detector
        )
        self.record = made_record(self.classifier)

    def renamed(self, rename: Callable[[str], str]) -> "ColourIdentifier":
        """Return the same with another name for each label, also in the paths."""
        other = copy(self)
        reference, linear = self.classifier.reference, self.classifier.linear
        paths = [f"{rename(path.partition('/')[0])}/{path}" for path in reference.paths]
        other.classifier = dataclasses.replace(
            self.classifier,
            reference=dataclasses.replace(
                reference, paths=paths, labels=[rename(label) for label in reference.labels]
            ),
            linear=dataclasses.replace(linear, labels=[rename(label) for label in linear.labels]),
        )
        return other

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        features = _features(content, limits)
        return self.classifier.predict(features, features)[0]


def _features(content: bytes, limits: ImageLimits) -> np.ndarray:
    pixels = decode_image(content, size_px=_SIZE_PX, limits=limits).pixels / 255.0
    side = _SIZE_PX // _CELLS
    cells = pixels.reshape(_CELLS, side, _CELLS, side, 3).mean(axis=(1, 3))
    return cells.reshape(1, -1).astype(np.float32)


@dataclass
class Reply:
    """A response of the service."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class MadeService:
    """A running service, and the unexpected errors that it has reported."""

    port: int
    errors: list[Exception] = field(default_factory=list)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send a request; a ``host`` replaces the header that http.client writes."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host="host" in headers)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, **headers)

    def identify(self, body: bytes, **headers: str) -> Reply:
        return self.request("POST", "/identify", body, **headers)


def in_this_thread(identifier: Identifier, limits: ServiceLimits) -> Identify:
    """Return what stands for the pool of workers."""

    async def identify(content: bytes) -> Prediction:
        try:
            return identifier.identify(content, limits=limits.image_limits)
        except ImageRejected as rejected:
            raise ServiceError(rejected.reason, rejected.detail) from rejected

    return identify


@contextmanager
def made_service(
    identifier: ColourIdentifier,
    limits: ServiceLimits = LIMITS,
    *,
    identify: Identify | None = None,
    host: str = "127.0.0.1",
) -> Iterator[MadeService]:
    """Run a service in a thread.  It listens on 127.0.0.1, also as one of another ``host``."""
    with bound_socket("127.0.0.1", 0) as listening:
        service = MadeService(listening.getsockname()[1])
        app = WebApp(
            identifier.classifier,
            identifier.record,
            identify or in_this_thread(identifier, limits),
            limits=limits,
            on_error=service.errors.append,
        ).starlette(network_names(host))
        server = uvicorn.Server(uvicorn_config(app, limits))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield service
        finally:
            server.should_exit = True
            thread.join()
