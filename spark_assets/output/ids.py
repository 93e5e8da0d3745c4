"""Ids of runs and PCA models: readable, and strictly increasing within one output.

The order of runs is that of their ids.  The clock alone cannot give it: two runs may start within
one second, or on machines whose clocks differ, and a clock can be set back.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from spark_assets.output.output import RUNS, Output

_SECOND = "%Y%m%dT%H%M%SZ"
_SECOND_LENGTH = len("20260131T120000Z")


def new_run_id(output: Output) -> str:
    """Return the id of a new run, later than that of every run of an output."""
    return next_id(output.files(RUNS), datetime.now(UTC))


def next_id(held: Iterable[str], now: datetime) -> str:
    """Return an id such as ``20260131T120000Z-1a2b3c`` that sorts after every id of ``held``.

    Its second is that of the clock, or the one after the newest id's, whichever is later.  The end
    is random: two runs that start at the same moment do not share their files.  Names that are no
    ids are passed over.
    """
    seconds = [second for name in held if (second := _second_of(name)) is not None]
    second = max([now.replace(microsecond=0), *(each + timedelta(seconds=1) for each in seconds)])
    return f"{second:{_SECOND}}-{secrets.token_hex(3)}"


def _second_of(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:_SECOND_LENGTH], _SECOND).replace(tzinfo=UTC)
    except ValueError:
        return None
