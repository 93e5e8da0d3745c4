"""Bytes that mean no good, or that mean two things."""

import gzip
import io
import struct
import zipfile
import zlib

from PIL import Image

from tests.recognition.made_service import encoded, photograph

SCRIPT = b"<script>window.hacked = 1</script>"
HTML = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked = 1"/>'


def archive(name: str = "apple.jpg", content: bytes = SCRIPT) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr(name, content)
    return target.getvalue()


def png_of(width: int, height: int, *, rows: bytes | None = None, colour_type: int = 0) -> bytes:
    """Return a PNG that declares a size, grey or of another type; without rows, all is 0."""
    if rows is None:
        n_channels = {0: 1, 2: 3, 6: 4}[colour_type]
        compressor = zlib.compressobj(6)
        row = bytes(1 + n_channels * width)
        packed = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    else:
        packed = zlib.compress(rows, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND")
    )


def png_with_text(text: bytes) -> bytes:
    """Return a good photograph that carries a text."""
    plain = photograph("apple", file_format="PNG")
    after_header = 8 + 25
    chunk = _chunk(b"tEXt", b"Comment\0" + text)
    return plain[:after_header] + chunk + plain[after_header:]


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def jpeg_of_scans(width: int, height: int, n_scans: int) -> bytes:
    """Return a grey progressive JPEG that says of each block, scan after scan, that it is empty.

    A decoder visits every block in every scan, which takes about 70 bytes.
    """
    n_blocks = -(-width // 8) * -(-height // 8)
    frame = struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0])
    one_code = bytes([1, *[0] * 15])
    head = (
        b"\xff\xd8"
        + _segment(0xDB, bytes([0, *[1] * 64]))
        + _segment(0xC2, frame)
        + _segment(0xC4, b"\x00" + one_code + b"\x00")
        + _segment(0xC4, b"\x10" + one_code + b"\xe0")  # a run of 16384 blocks or more
    )
    first = _segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(-(-n_blocks // 8))
    scan = _segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + _runs(n_blocks)
    return head + first + scan * n_scans + b"\xff\xd9"


def _runs(n_blocks: int) -> bytes:
    bits = ""
    while n_blocks > 0:
        run = max(16384, min(n_blocks, 32767))
        bits += f"0{run - 16384:014b}"
        n_blocks -= run
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def gif_that_is_html() -> bytes:
    """Return a GIF whose comment is a page."""
    plain = encoded(Image.open(io.BytesIO(photograph("apple"))).convert("P"), "GIF")
    return plain[:-1] + b"\x21\xfe" + bytes([len(SCRIPT)]) + SCRIPT + b"\x00;" + HTML


# Each is an apple to whom decodes it, and something else to whom does not.
POLYGLOTS = {
    "JPEG and zip": photograph("apple") + archive(),
    "JPEG and script": photograph("apple") + SCRIPT,
    "JPEG with a page in its comment": photograph("apple", comment=HTML),
    "PNG with a page in its text": png_with_text(HTML),
    "PNG and zip": photograph("apple", file_format="PNG") + archive(),
    "GIF and page": gif_that_is_html(),
}
NO_IMAGES = {
    "zip": archive(),
    "zip of a photograph": archive(content=photograph("apple")),
    "page": HTML,
    "SVG": SVG,
    "script": b"alert(1)",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</JavaScript(app.alert(1))>>endobj",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "photograph in gzip": gzip.compress(photograph("apple")),
    "form": b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    + photograph("apple")
    + b"\r\n--x--\r\n",
    "base64": b"data:image/jpeg;base64,/9j/4AAQSkZJRg==",
    "one byte": b"\xff",
    "zeros": bytes(1000),
}
DAMAGED = {
    "half a JPEG": photograph("apple")[:900],
    "half a PNG": photograph("apple", file_format="PNG")[:900],
    "a PNG without rows": png_of(90, 90, rows=b""),
    "the head of a JPEG": photograph("apple")[:3],
}
