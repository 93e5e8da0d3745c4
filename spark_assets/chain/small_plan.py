"""The plan of a run, made by the driver alone: of what is few, it is told before Spark has started.

A schedule often finds nothing new, for which Spark is not started at all, or a little, for which
its joins took longer than to look at it.
"""

from collections.abc import Collection, Sequence

from spark_assets.chain.another_look import runs_with_limits_of, wants_another_look
from spark_assets.chain.plan import Plan, plan_first, refuse_mass_removal
from spark_assets.chain.started_run import StartedRun
from spark_assets.images.listing import ImageEntry
from spark_assets.output.small_current import Noted, small_state
from spark_assets.schemas import Outcome


def plan_here(run: StartedRun, listed: Sequence[ImageEntry]) -> Plan | None:
    """Compare what is listed, once by path, with what the ``earlier`` runs hold.

    None where that is for Spark: there is much to read, or new images may be those that are gone
    under another name.  `plan_more` comes to the same.  Raises FruitsError as `plan_first` and
    `plan_more` do.
    """
    if not run.earlier:
        return plan_first(listed, len(listed), run.options)
    held = small_state(run.layout, run.earlier)
    if held is None:
        return None
    new = [entry for entry in listed if entry.path not in held]
    known = [entry for entry in listed if entry.path in held]
    same_limits = runs_with_limits_of(run)
    changed = [each for each in known if _needs_a_look(each, held[each.path], same_limits)]
    is_whole = not run.options.is_partial
    gone = sorted(held.keys() - {entry.path for entry in known}) if is_whole else []
    if new and gone:
        return None
    refuse_mass_removal(run.options, len(gone), len(known))
    to_look_at = sorted([*new, *changed], key=lambda entry: entry.path)
    outdated = [*gone, *(entry.path for entry in changed)]
    return Plan(
        images=to_look_at,
        n_to_featurize=len(to_look_at),
        n_known=len(known) - len(changed),
        n_changed=len(changed),
        gone=gone or None,
        n_gone=len(gone),
        n_outdated=sum(held[path].outcome == Outcome.FEATURES for path in outdated),
    )


def _needs_a_look(entry: ImageEntry, noted: Noted, same_limits: Collection[str]) -> bool:
    same = (noted.size_bytes, noted.modified_at) == (entry.size_bytes, entry.modified_at)
    return not same or wants_another_look(noted.reason, noted.run_id, same_limits)
