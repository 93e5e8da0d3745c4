"""The page of a TIFF that is the photograph: the first picture in full resolution.

Scanners, raw converters and microscopes put a thumbnail, a mask or the levels of a pyramid beside
the picture, some of them before it.  The tags NewSubfileType and SubfileType distinguish them.
"""

from PIL.TiffImagePlugin import TiffImageFile

# A file of 64 MiB has room for millions of pages, or for 80 whose 65,535 tags take 0.2 s each.
MAX_PAGES = 16
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_IFDS = 254, 255, 330
_IS_REDUCED, _IS_MASK = 1, 4  # bits of NewSubfileType
_OLD_REDUCED = 2  # a value of SubfileType


class NoFullPage(Exception):
    """No readable page is the picture; the message is the reason."""


def seek_picture(image: TiffImageFile) -> None:
    """Go to the first page, of at most `MAX_PAGES`, that is a picture in full resolution.

    Where all are reduced and lead to no SubIFDs, the first is all that there is, and is taken.
    SubIFDs are out of Pillow's reach: where the picture lies in one, as that of DNG and of other
    raw files does, its thumbnail is not taken for it.

    Raises NoFullPage; Pillow raises what it likes where a page is damaged.
    """
    if not _is_aside(image):  # of nearly all files, one page is read
        return
    first_reduced: int | None = None
    width, height = image.size
    has_sub_ifds = False
    for page in range(MAX_PAGES):
        is_readable = _seek(image, page)
        if is_readable is None:
            break
        if not _is_aside(image):
            if is_readable:
                return
            raise NoFullPage("its picture in full resolution is of a kind that is not read")
        has_sub_ifds = has_sub_ifds or _SUB_IFDS in image.tag_v2
        if first_reduced is None and is_readable and not _is_mask(image):
            first_reduced = page
    if first_reduced is None:
        raise NoFullPage("it holds masks and no picture")
    if has_sub_ifds:
        raise NoFullPage(f"only its preview of {width} x {height} pixels can be read")
    image.seek(first_reduced)


def _seek(image: TiffImageFile, page: int) -> bool | None:
    """Return whether Pillow can decode a page, or None after the last; its tags are read."""
    try:
        image.seek(page)
    except EOFError:
        return None
    except SyntaxError:  # of Pillow, without a decoder for such pixels
        return False
    return True


def _is_aside(image: TiffImageFile) -> bool:
    """Return whether a page is a smaller version of the picture, or a mask of it."""
    is_reduced = bool(_number(image, _NEW_SUBFILE_TYPE) & _IS_REDUCED)
    return is_reduced or _number(image, _SUBFILE_TYPE) == _OLD_REDUCED or _is_mask(image)


def _is_mask(image: TiffImageFile) -> bool:
    return bool(_number(image, _NEW_SUBFILE_TYPE) & _IS_MASK)


def _number(image: TiffImageFile, tag: int) -> int:
    value = image.tag_v2.get(tag)
    return value if isinstance(value, int) else 0  # a hostile file may hold anything there
