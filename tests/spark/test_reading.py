import threading

import pytest

from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.storage.locations import parse_location


def entries(n: int, size_bytes: int = 10) -> list[ImageEntry]:
    return [ImageEntry(f"{index}.jpg", size_bytes, None) for index in range(n)]


def test_every_entry_comes_once_in_order_with_its_bytes():
    ahead = ReadAhead(n_readers=4)
    found = list(ahead.read(entries(100), lambda entry: entry.path.encode()))
    assert [image.entry for image in found] == entries(100)
    assert [image.content for image in found] == [f"{index}.jpg".encode() for index in range(100)]


def test_a_failed_read_is_one_rejection_among_images():
    def read(entry: ImageEntry) -> bytes:
        if entry.path == "3.jpg":
            raise ImageRejected(Reason.UNREADABLE, "no")
        return b"x"

    found = [image.content for image in ReadAhead(n_readers=4).read(entries(6), read)]
    assert [isinstance(content, ImageRejected) for content in found] == [False] * 3 + [True] + [
        False
    ] * 2


@pytest.mark.parametrize(("size_bytes", "expected"), [(1, 5), (40, 2), (1000, 1)])
def test_what_is_read_ahead_is_bounded_by_readers_and_by_bytes(size_bytes, expected):
    """Count the reads that start before the first image is taken; each waits to be let go."""
    started, go_on = threading.Semaphore(0), threading.Event()

    def read(entry: ImageEntry) -> bytes:
        started.release()
        assert go_on.wait(60)
        return b""

    ahead = ReadAhead(n_readers=5, max_bytes_ahead=100)
    images = ahead.read(entries(50, size_bytes), read)
    taker = threading.Thread(target=next, args=(images,))
    taker.start()
    n_started = sum(started.acquire(timeout=60) for _ in range(expected))
    assert not started.acquire(timeout=0.2)
    go_on.set()
    taker.join()
    assert n_started == expected


def test_reading_goes_on_while_nobody_takes_an_image():
    read_so_far = threading.Semaphore(0)

    def read(entry: ImageEntry) -> bytes:
        read_so_far.release()
        return b"x"

    images = ReadAhead(n_readers=1, n_ahead=5).read(entries(50), read)
    next(images)
    assert all(read_so_far.acquire(timeout=60) for _ in range(5))
    assert not read_so_far.acquire(timeout=0.2)


def test_reads_overlap():
    """Two reads that wait for each other end only if they run at the same time."""
    meeting = threading.Barrier(4, timeout=60)

    def read(entry: ImageEntry) -> bytes:
        meeting.wait()
        return b"x"

    assert len(list(ReadAhead(n_readers=4).read(entries(8), read))) == 8


def test_an_error_of_the_program_is_not_taken_for_a_bad_image():
    def read(entry: ImageEntry) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(ReadAhead(n_readers=2).read(entries(3), read))


def refusal(reader: ImageReader, entry: ImageEntry) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        reader(entry)
    return caught.value


def test_a_large_image_is_rejected_unread_when_its_size_is_known(tmp_path):
    reader = ImageReader(parse_location(str(tmp_path)), limits=ImageLimits(max_bytes=5))
    assert refusal(reader, ImageEntry("never looked for", 6, None)).reason is Reason.TOO_LARGE


def test_a_large_image_is_rejected_after_its_first_bytes_when_not(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"123456")
    reader = ImageReader(parse_location(str(tmp_path)), limits=ImageLimits(max_bytes=5))
    assert refusal(reader, ImageEntry("a.jpg", None, None)).reason is Reason.TOO_LARGE


def test_an_image_that_is_gone_is_unreadable(tmp_path):
    reader = ImageReader(parse_location(str(tmp_path)), limits=ImageLimits())
    assert refusal(reader, ImageEntry("gone.jpg", 3, None)).reason is Reason.UNREADABLE


def test_the_detail_names_no_folder(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    reader = ImageReader(parse_location(str(tmp_path)), limits=ImageLimits())
    rejected = refusal(reader, ImageEntry("folder.jpg", 3, None))
    assert rejected.reason is Reason.UNREADABLE
    assert str(tmp_path) not in rejected.detail
