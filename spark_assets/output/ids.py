"""Ids of runs and PCA models: readable, and strictly increasing within one output.

The newest run that looked at an image decides about it, so the order of ids decides which rows are
current.  The clock alone cannot give it: two runs may start within one second, or on machines whose
clocks differ, and a clock can be set back.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from spark_assets.output.layout import OutputLayout
from spark_assets.storage.files import names_in

_SECOND = "%Y%m%dT%H%M%SZ"
_SECOND_LENGTH = len("20260131T120000Z")


def new_run_id(layout: OutputLayout) -> str:
    """Return the id of a new run, later than that of every run the output holds traces of."""
    return next_id(_run_ids(layout), _now())


def new_model_id(layout: OutputLayout) -> str:
    """Return the id of a new PCA model, later than that of every one the output holds traces of."""
    return next_id(_model_ids(layout), _now())


def is_newest_model_id(layout: OutputLayout, model_id: str) -> bool:
    """Tell whether an id from another output would come after all PCA models of this one."""
    return all(model_id > held for held in _model_ids(layout))


def next_id(held: Iterable[str], now: datetime) -> str:
    """Return an id such as ``20260131T120000Z-1a2b3c`` that sorts after every id of ``held``.

    Its second is that of the clock, or the one after the newest id's, whichever is later.  The end
    is random: two runs that start at the same moment do not share their tables.  Names that are no
    ids are passed over.
    """
    seconds = [second for name in held if (second := _second_of(name)) is not None]
    second = max([now.replace(microsecond=0), *(each + timedelta(seconds=1) for each in seconds)])
    return f"{second:{_SECOND}}-{secrets.token_hex(3)}"


def _run_ids(layout: OutputLayout) -> Iterable[str]:
    """Yield what is named after runs: finished ones, working ones, and what dead ones have left."""
    yield from names_in(layout.manifests)
    yield from names_in(layout.output.child("_staging"))
    for table in ("features", "rejected", "changes"):
        yield from _partitions(layout, table, "run_id")


def _model_ids(layout: OutputLayout) -> Iterable[str]:
    yield from names_in(layout.pca_models)
    yield from _partitions(layout, "reduced", "model_id")


def _partitions(layout: OutputLayout, table: str, column: str) -> Iterable[str]:
    names = names_in(layout.output.child(table))
    return (name.removeprefix(f"{column}=") for name in names)


def _second_of(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:_SECOND_LENGTH], _SECOND).replace(tzinfo=UTC)
    except ValueError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
