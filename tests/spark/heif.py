"""HEIF files put together anew from the pixels of one: turned, with EXIF, with several images."""

import struct
from collections.abc import Iterator

from tests.spark.images import HEIC

# How ISO/IEC 23008-12 stores each EXIF orientation: a turn counter-clockwise in quarters, then a
# flip, 0 top to bottom and 1 left to right.
_TURN_AND_FLIP: dict[int, tuple[int, int | None]] = {
    1: (0, None), 2: (0, 1), 3: (2, None), 4: (0, 0), 5: (3, 1), 6: (3, None), 7: (1, 1),
    8: (1, None),
}  # fmt: skip


def heif(*, orientation: int = 1, exif: bytes | None = None, n_images: int = 1) -> bytes:
    """Return a HEIF of 64 x 48 pixels as stored, shown as an EXIF ``orientation`` would have it.

    The first of ``n_images`` is shown upright, the last is the primary one and is turned.
    """
    boxes = dict(_boxes(HEIC))
    meta = dict(_boxes(boxes[b"meta"][4:]))
    shared = list(_boxes(dict(_boxes(meta[b"iprp"]))[b"ipco"]))
    turn, flip = _TURN_AND_FLIP[orientation]
    turned = [(b"irot", bytes([turn]))] + ([] if flip is None else [(b"imir", bytes([flip]))])
    properties = b"".join(_box(kind, body) for kind, body in [*shared, *turned])
    plain = list(range(1, len(shared) + 1))
    with_turn = [*plain, *range(len(shared) + 1, len(shared) + len(turned) + 1)]
    images = dict.fromkeys(range(1, n_images), plain) | {n_images: with_turn}
    contents = [boxes[b"mdat"]] * n_images
    entries = [_full(b"infe", 2, struct.pack(">HH4sB", item, 0, b"hvc1", 0)) for item in images]
    references = b""
    if exif is not None:
        contents.append(struct.pack(">I", 0) + exif)
        entries.append(_full(b"infe", 2, struct.pack(">HH4sB", n_images + 1, 0, b"Exif", 0)))
        links = struct.pack(">HHH", n_images + 1, 1, n_images)
        references = _full(b"iref", 0, _box(b"cdsc", links))
    associated = b"".join(
        struct.pack(">HB", item, len(indices)) + bytes(0x80 | index for index in indices)
        for item, indices in images.items()
    )

    def head(start: int) -> bytes:
        places, at = b"", start
        for item, content in enumerate(contents, 1):
            places += struct.pack(">HHHII", item, 0, 1, at, len(content))
            at += len(content)
        body = b"".join(
            [
                _box(b"hdlr", meta[b"hdlr"]),
                _full(b"pitm", 0, struct.pack(">H", n_images)),
                _full(b"iloc", 0, struct.pack(">HH", 0x4400, len(contents)) + places),
                _full(b"iinf", 0, struct.pack(">H", len(entries)) + b"".join(entries)),
                references,
                _box(
                    b"iprp",
                    _box(b"ipco", properties)
                    + _full(b"ipma", 0, struct.pack(">I", len(images)) + associated),
                ),
            ]
        )
        return _box(b"ftyp", boxes[b"ftyp"]) + _full(b"meta", 0, body)

    start = len(head(0)) + 8
    return head(start) + _box(b"mdat", b"".join(contents))


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8 : at + size]
        at += size


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, body: bytes) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + body)
