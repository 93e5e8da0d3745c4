"""A service whose network is the mean colours of a photograph; all else is as it is."""

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from starlette.types import ASGIApp, Message

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS, Identifier
from recognition.service.application import application
from recognition.service.guarding import AllowedHosts
from recognition.service.limits import ServiceLimits
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
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


Look = Callable[[bytearray], Awaitable[Prediction]]


def looking(identifier: Identifier, limits: ServiceLimits = LIMITS) -> Look:
    """Return what answers at once, in this thread."""

    async def look(content: bytearray) -> Prediction:
        return identifier.identify(bytes(content), limits=limits.image_limits)

    return look


@dataclass
class MadeService:
    """A service without a socket, and the errors that it has told of."""

    identifier: ColourIdentifier
    limits: ServiceLimits = LIMITS
    look: Look | None = None
    host: str = "127.0.0.1"
    told: list[Exception] = field(default_factory=list)

    @property
    def app(self) -> ASGIApp:
        return application(
            self.identifier.classifier,
            self.identifier.record,
            self.look or looking(self.identifier, self.limits),
            hosts=AllowedHosts.of(self.host),
            limits=self.limits,
            tell=self.told.append,
        )

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> "Reply":
        """Ask as a client does that sends its body in one piece."""
        return asyncio.run(ask(self.app, method, path, _pieces(body), **headers))

    def identify(self, body: bytes, **headers: str) -> "Reply":
        return self.ask("POST", "/identify", body, **headers)


@dataclass
class Reply:
    """What a service has answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


async def _pieces(body: bytes) -> AsyncIterator[bytes | None]:
    yield body


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    pieces: AsyncIterator[bytes | None],
    **headers: str,
) -> Reply:
    """Ask an application; None instead of a piece of the body is a client that has gone."""
    path, _, query = path.partition("?")
    given = {"host": "127.0.0.1:8000"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        piece = await anext(pieces, b"")
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    found = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Reply(start["status"], found, b"".join(each.get("body", b"") for each in rest))
