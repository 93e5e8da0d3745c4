"""What goes wrong in a way that a person can fix, and the exit codes that say so."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command and entry script."""

    DONE = 0
    FAILED = 1
    BAD_USAGE = 2
    TOO_MANY_REJECTED = 3
    INTERRUPTED = 130
    CLOSED_PIPE = 141  # what a shell tells of a program that SIGPIPE ended


class FruitsError(Exception):
    """A failure told in one sentence: what was given, what is allowed, what to do."""
