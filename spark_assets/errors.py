"""What goes wrong in a way that a person can fix, and the exit codes that say so."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command and entry script."""

    DONE = 0
    FAILED = 1
    BAD_USAGE = 2
    TOO_MANY_REJECTED = 3
    INTERRUPTED = 130


class FruitsError(Exception):
    """A failure told in one sentence: what was given, what is allowed, what to do."""
