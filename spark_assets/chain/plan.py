"""The plan of a run: what is listed against what the output holds, both as Arrow in the driver.

An image is new, changed, known or gone; a known one needs no second look.  A renamed photograph is
a new one and a gone one: to featurize it again takes milliseconds.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.started_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.images.decoding import Reason
from spark_assets.output.manifest import read_run
from spark_assets.output.output import FEATURES, REJECTED, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.storage import schemas

# More than this share of the images does not go by itself: a disk is not mounted, a prefix wrong.
_SHARE_THAT_MAY_GO = 0.5
_COLUMNS = ("path", "size_bytes", "modified_at")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    ``images`` are those to featurize, `schemas.LISTED` ordered by path, of which ``n_changed`` had
    been looked at before; the source no longer holds ``n_deleted``.  ``outdated`` are their rows,
    by ``path`` and ``file``, which leave the tables.
    """

    images: pa.Table
    outdated: pa.Table
    n_known: int = 0
    n_changed: int = 0
    n_deleted: int = 0

    @property
    def n_images(self) -> int:
        """Images that give a row of features or of rejected ones."""
        n_rows: int = self.images.num_rows
        return n_rows

    @property
    def has_work(self) -> bool:
        """Whether the output will not be as it was."""
        return bool(self.n_images or self.n_deleted)


@dataclass(frozen=True, slots=True)
class NothingNew:
    """No image had to be looked at: ``n_known`` are in the output, unchanged."""

    n_known: int


def plan_run(run: StartedRun, listed: pa.Table) -> Plan:
    """Compare what is listed, `schemas.LISTED`, with what the output holds.

    Raises FruitsError where a first run finds no image, and where so many images are gone that the
    source is rather another one.
    """
    if run.previous is None:
        if not listed.num_rows:
            raise FruitsError(
                f"there are no images under {run.options.images.uri}; give a folder or a prefix "
                "that holds some"
            )
        return Plan(listed, _held(run.output).slice(0, 0))
    held = _held(run.output)
    row = _rows_of(held["path"], listed["path"])
    is_listed = pc.is_valid(row)
    listed_held, row = held.filter(is_listed), row.drop_null()
    is_changed = _should_retry(run, listed_held, listed.take(row))
    gone = held.slice(0, 0) if run.options.is_partial else held.filter(pc.invert(is_listed))
    outdated = pa.concat_tables([gone, listed_held.filter(is_changed)])
    n_changed = _n_true(is_changed)
    n_known = len(row) - n_changed
    _refuse_mass_removal(run.options, gone.num_rows, n_known + n_changed)
    is_known = np.zeros(listed.num_rows, bool)
    is_known[row.filter(pc.invert(is_changed)).to_numpy()] = True
    return Plan(
        images=listed.filter(pa.array(~is_known)),
        outdated=outdated.select(["path", "file"]),
        n_known=n_known,
        n_changed=n_changed,
        n_deleted=gone.num_rows,
    )


def _held(output: Output) -> pa.Table:
    """Return what is known of each image; ``reason`` and ``run_id`` of those rejected alone."""
    features = read_narrow(table_files(output, FEATURES), schemas.FEATURES, _COLUMNS)
    columns = (*_COLUMNS, "reason", "run_id")
    rejected = read_narrow(table_files(output, REJECTED), schemas.REJECTED, columns)
    return pa.concat_tables([features, rejected], promote_options="permissive")


def _rows_of(paths: pa.ChunkedArray, listed: pa.ChunkedArray) -> pa.Array:
    """Return where each path is listed, null where it is not.

    A search in what is ordered: of ten million paths, a hash table of them took twice the time and
    1.5 GB more, and Acero's join as long and 2 GB more.
    """
    ordered, wanted = listed.combine_chunks(), paths.combine_chunks()
    row = pc.search_sorted(ordered, wanted).cast(pa.int64())
    within = pc.if_else(pc.less(row, len(ordered)), row, None)
    return pc.if_else(pc.equal(ordered.take(within), wanted), within, None)


def _should_retry(run: StartedRun, known: pa.Table, listed: pa.Table) -> pa.ChunkedArray:
    """Return of which images the size or time is another, or the rejection may be otherwise today.

    What could not be read may be readable, and what was too large may be allowed.
    """
    is_same = pc.and_(
        _equal(listed["size_bytes"], known["size_bytes"]),
        _equal(listed["modified_at"], known["modified_at"]),
    )
    was_too_large = _is(known["reason"], Reason.TOO_LARGE)
    was_allowed_less = pc.is_in(
        known["run_id"], value_set=_runs_of_other_limits(run, known.filter(was_too_large)["run_id"])
    )
    is_rejected_for_now = pc.or_(
        _is(known["reason"], Reason.UNREADABLE), pc.and_(was_too_large, was_allowed_less)
    )
    return pc.or_(pc.invert(is_same), is_rejected_for_now)


def _runs_of_other_limits(run: StartedRun, run_ids: pa.ChunkedArray) -> pa.Array:
    """Return those of some runs that allowed another size of images."""
    limits = asdict(run.options.limits)
    found = ((each, read_run(run.output, each)) for each in run_ids.unique().to_pylist())
    others = [each for each, made in found if made is None or made.options["limits"] != limits]
    return pa.array(others, pa.string())


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(pc.equal(left, right), False), both_null)


def _is(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(column, str(value)), False)


def _n_true(column: pa.ChunkedArray) -> int:
    return pc.sum(column).as_py() or 0


def _refuse_mass_removal(options: FeaturizeOptions, n_deleted: int, n_left: int) -> None:
    """Raise FruitsError where so many images are gone that nobody may have wanted it."""
    n_held = n_deleted + n_left
    if options.confirm_missing or n_deleted <= _SHARE_THAT_MAY_GO * n_held:
        return
    raise FruitsError(
        f"{n_deleted} of the {n_held} images that {options.output.uri} holds are no longer in "
        f"{options.images.uri}; check that it is whole (a disk that is not mounted looks like "
        "this), then give --confirm-missing to leave them out, or --keep-missing to keep them"
    )
