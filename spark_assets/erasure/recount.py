"""The counts of runs after an erasure, counted anew from what their tables of changes still hold.

Counted and not subtracted: an erasure that was interrupted may have been here before.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.output.state import all_changes
from spark_assets.storage.files import write_json
from spark_assets.storage.schemas import Outcome

_ROWS_AT_ONCE = 10_000


@dataclass(slots=True)
class _Found:
    """What the changes of one run hold."""

    n_features: int = 0
    n_gone: int = 0
    n_changed: int = 0
    n_outdated: int = 0
    n_held_before: int = 0
    rejected_by_reason: dict[str, int] = field(default_factory=dict)


def recount_runs(layout: OutputLayout, runs: Sequence[RunManifest]) -> list[RunManifest]:
    """Write the manifests whose counts no longer hold; return all of them as they are now."""
    found = _found_by_run(layout, runs)
    n_held, recounted = 0, []
    for run in runs:
        counts = _counts(run.counts, found[run.run_id], n_held)
        # Those that came anew, less those that went.
        now = found[run.run_id]
        n_looked_at = counts.n_features + counts.n_rejected
        n_held += n_looked_at - now.n_changed - now.n_gone
        if counts != run.counts:
            run = replace(run, counts=counts)
            write_json(layout.manifest(run.run_id), run.to_json())
        recounted.append(run)
    return recounted


def _counts(before: Counts, found: _Found, n_held: int) -> Counts:
    rejected = dict(sorted(found.rejected_by_reason.items()))
    n_rejected = sum(rejected.values())
    return Counts(
        n_images=found.n_features + n_rejected,
        # What was known is noted nowhere: at most what was held and is not in the changes.
        n_known=min(before.n_known, n_held - found.n_held_before),
        n_features=found.n_features,
        n_rejected=n_rejected,
        rejected_by_reason=rejected,
        n_changed=found.n_changed,
        n_gone=found.n_gone,
        n_outdated=found.n_outdated,
    )


def _found_by_run(layout: OutputLayout, runs: Sequence[RunManifest]) -> dict[str, _Found]:
    ordered = all_changes(layout, runs)
    columns = ("path", "run_id", "outcome", "reason")
    found: dict[str, _Found] = defaultdict(_Found)
    path_before, held = None, str(Outcome.GONE)
    for batch in ordered.select(columns).to_batches(max_chunksize=_ROWS_AT_ONCE):
        for path, run_id, outcome, reason in zip(*batch.to_pydict().values(), strict=True):
            if path != path_before:
                held = str(Outcome.GONE)
            _add(found[run_id], held, outcome, reason)
            path_before, held = path, outcome
    return found


def _add(of_run: _Found, held: str, outcome: str, reason: str) -> None:
    """Count one image of a run, which was ``held`` with an outcome before."""
    was_held = held != str(Outcome.GONE)
    of_run.n_held_before += was_held
    of_run.n_outdated += held == str(Outcome.FEATURES)
    if outcome == str(Outcome.GONE):
        of_run.n_gone += 1
        return
    of_run.n_changed += was_held
    if outcome == str(Outcome.FEATURES):
        of_run.n_features += 1
    else:
        of_run.rejected_by_reason[reason] = of_run.rejected_by_reason.get(reason, 0) + 1
