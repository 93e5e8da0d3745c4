"""The label of an image: a folder or a regular expression of its path."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError


@dataclass(frozen=True, slots=True)
class LabelRule:
    """The part of a path, relative to the images, that is the label.

    ``level`` 1 is the folder that holds the image, 2 the one above it.  With a ``regex``, the label
    is its first group, or its whole match, in the path.  RE2 searches in linear time, where
    Python's ``re`` can take exponential time on a long name.

    Raises FruitsError for a level below 1 and an invalid expression.
    """

    level: int = 1
    regex: str | None = None

    def __post_init__(self) -> None:
        if self.level < 1:
            raise FruitsError(
                f"--label-level {self.level} names no folder; give 1 for the one that holds an "
                "image, 2 for the one above it"
            )
        if self.regex is not None:
            _check_expression(self.regex, "--label-regex")

    def labels_of(self, paths: Sequence[str]) -> list[str | None]:
        """Return the label of each image, or None where its path has none."""
        if self.regex is None:
            return [self._folder_of(path) for path in paths]
        return _found(paths, self.regex)

    def _folder_of(self, path: str) -> str | None:
        folders = [folder for folder in path.split("/")[:-1] if folder]
        return folders[-self.level] if len(folders) >= self.level else None


def groups_of(paths: Sequence[str], expression: str, option: str) -> list[str | None]:
    """Return the match of an expression in each path, as a label; None where there is none.

    Raises FruitsError, which names the ``option``, for an invalid expression.
    """
    _check_expression(expression, option)
    return _found(paths, expression)


def _check_expression(expression: str, option: str) -> None:
    try:
        _replaced(["/"], expression, r"\0")
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise FruitsError(
            f"{option} {expression!r} is not a valid regular expression ({reason}); give one in "
            "RE2 syntax, such as '^([^/]+)/'"
        ) from error


def _found(paths: Sequence[str], expression: str) -> list[str | None]:
    searched = expression if _has_group(expression) else f"({expression})"
    # Arrow has no search that returns a group: the whole path is replaced by the group.
    around = rf"\A(?s:.*?)(?:{searched})(?s:.*)\z|\A(?s:.*)\z"
    return [found or None for found in _replaced(paths, around, r"\1")]


def _replaced(texts: Sequence[str], pattern: str, replacement: str) -> list[str]:
    column = pa.array(texts, pa.string())
    replaced = pc.replace_substring_regex(column, pattern=pattern, replacement=replacement)
    result: list[str] = replaced.to_pylist()
    return result


def _has_group(regex: str) -> bool:
    try:
        _replaced(["/"], regex, r"\1")
    except pa.ArrowInvalid:  # the expression has no group
        return False
    return True
