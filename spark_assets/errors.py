"""The error for failures that a user can fix, and the exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command and entry script."""

    DONE = 0
    FAILED = 1
    BAD_USAGE = 2
    TOO_MANY_REJECTED = 3
    INTERRUPTED = 130
    CLOSED_PIPE = 141  # as shells report death by SIGPIPE: 128 + 13


class FruitsError(Exception):
    """An error in one sentence: the value got, the values allowed, what to do."""
