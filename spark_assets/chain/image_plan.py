"""The plan of a run: the listing compared with the output, both as Arrow tables in the driver.

An image is new, changed, unchanged or deleted.  A renamed photograph is a deleted one and a new
one: to featurize it again takes milliseconds.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.start_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.images.rejection import Reason
from spark_assets.output.manifest import read_run
from spark_assets.output.output import FEATURES, REJECTED, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.storage import schemas

# A larger share of deleted images is rather a disk that is not mounted, or a wrong prefix.
_MAX_DELETED_SHARE = 0.5
_COLUMNS = ("path", "size_bytes", "modified_at")


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of a run.

    ``images`` are to be featurized, `schemas.LISTED` ordered by path; ``n_changed`` of them have
    rows in the output already.  ``outdated`` names the rows of changed and of deleted images, by
    ``path`` and ``file``: they leave the tables.
    """

    images: pa.Table
    outdated: pa.Table
    n_known: int = 0
    n_changed: int = 0
    n_deleted: int = 0

    @property
    def n_images(self) -> int:
        """Number of images to featurize."""
        n_rows: int = self.images.num_rows
        return n_rows

    @property
    def has_work(self) -> bool:
        """Whether the run changes the output."""
        return bool(self.n_images or self.n_deleted)


@dataclass(frozen=True, slots=True)
class NoChange:
    """The result of a run without work: ``n_known`` images are in the output, unchanged."""

    n_known: int


def plan_run(run: StartedRun, listed: pa.Table) -> Plan:
    """Compare a listing, `schemas.LISTED` ordered by path, with the tables of the output.

    Raises FruitsError where a first run finds no image, and where more than half of the images
    are deleted.
    """
    if run.previous is None:
        if not listed.num_rows:
            raise FruitsError(
                f"there are no images under {run.options.images.uri}; give --images a folder or a "
                "prefix that contains images"
            )
        return Plan(listed, _held(run.output).slice(0, 0))
    held = _held(run.output)
    row = _rows_of(held["path"], listed["path"])
    is_listed = pc.is_valid(row)
    listed_held, row = held.filter(is_listed), row.drop_null()
    is_changed = _should_retry(run, listed_held, listed.take(row))
    deleted = held.slice(0, 0) if run.options.is_partial else held.filter(pc.invert(is_listed))
    outdated = pa.concat_tables([deleted, listed_held.filter(is_changed)])
    n_changed = pc.sum(is_changed).as_py() or 0
    n_known = len(row) - n_changed
    _refuse_mass_deletion(run.options, deleted.num_rows, n_known + n_changed)
    is_known = np.zeros(listed.num_rows, bool)
    is_known[row.filter(pc.invert(is_changed)).to_numpy()] = True
    return Plan(
        images=listed.filter(pa.array(~is_known)),
        outdated=outdated.select(["path", "file"]),
        n_known=n_known,
        n_changed=n_changed,
        n_deleted=deleted.num_rows,
    )


def _held(output: Output) -> pa.Table:
    """Return the state of each image; ``reason`` and ``run_id`` are those of rejected ones."""
    features = read_narrow(table_files(output, FEATURES), schemas.FEATURES, _COLUMNS)
    columns = (*_COLUMNS, "reason", "run_id")
    rejected = read_narrow(table_files(output, REJECTED), schemas.REJECTED, columns)
    return pa.concat_tables([features, rejected], promote_options="permissive")


def _rows_of(paths: pa.ChunkedArray, listed: pa.ChunkedArray) -> pa.Array:
    """Return the row of each path in an ordered listing, null where it is not listed.

    By binary search: for ten million paths a hash table took twice the time and 1.5 GB more,
    Acero's join as long and 2 GB more.
    """
    ordered, wanted = listed.combine_chunks(), paths.combine_chunks()
    row = pc.search_sorted(ordered, wanted).cast(pa.int64())
    within = pc.if_else(pc.less(row, len(ordered)), row, None)
    return pc.if_else(pc.equal(ordered.take(within), wanted), within, None)


def _should_retry(run: StartedRun, known: pa.Table, listed: pa.Table) -> pa.ChunkedArray:
    """Return whether each image has changed, or was rejected for a reason that may have passed.

    An unreadable image may be readable now, and one that was too large may be allowed.
    """
    is_same = pc.and_(
        _equal(listed["size_bytes"], known["size_bytes"]),
        _equal(listed["modified_at"], known["modified_at"]),
    )
    was_too_large = _is(known["reason"], Reason.TOO_LARGE)
    has_other_limits = pc.is_in(
        known["run_id"], value_set=_runs_of_other_limits(run, known.filter(was_too_large)["run_id"])
    )
    may_have_passed = pc.or_(
        _is(known["reason"], Reason.UNREADABLE), pc.and_(was_too_large, has_other_limits)
    )
    return pc.or_(pc.invert(is_same), may_have_passed)


def _runs_of_other_limits(run: StartedRun, run_ids: pa.ChunkedArray) -> pa.Array:
    """Return the runs, of some, with other limits on the size of images."""
    limits = asdict(run.options.limits)
    manifests = ((each, read_run(run.output, each)) for each in run_ids.unique().to_pylist())
    others = [each for each, made in manifests if made is None or made.options["limits"] != limits]
    return pa.array(others, pa.string())


def _equal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(pc.equal(left, right), False), both_null)


def _is(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(column, str(value)), False)


def _refuse_mass_deletion(options: FeaturizeOptions, n_deleted: int, n_left: int) -> None:
    n_held = n_deleted + n_left
    if options.confirm_missing or n_deleted <= _MAX_DELETED_SHARE * n_held:
        return
    raise FruitsError(
        f"{n_deleted} of the {n_held} images that {options.output.uri} holds are no longer in "
        f"{options.images.uri}; check that it is whole (a disk that is not mounted looks like "
        "this), then give --confirm-missing to leave them out, or --keep-missing to keep them"
    )
