"""The path of an erasure: find, note, remove at the source, rewrite, look again, certify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spark_assets.chain.remove_rows import Rewritten
from spark_assets.erasure.conclude import conclude, remove_photographs
from spark_assets.erasure.erasure_request import ErasureRequest
from spark_assets.erasure.plan_erasure import NothingFoundError, PlannedErasure, begin, plan_erasure
from spark_assets.erasure.rewrite_output import rewrite_output
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.output.erasure_denylist import read_denylist, write_denylist
from spark_assets.output.erasure_journal import Certificate, certificate_file, pending_erasures
from spark_assets.output.output import Output
from spark_assets.removal.remove_files import Removal
from spark_assets.runtime.progress import echo
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.storage.locations import Location
from spark_assets.text.languages import ENGLISH
from spark_assets.text.numbers import counted
from spark_assets.text.printable import printable

# What came of the sources of each erasure, by its id.
Removals = Mapping[str, Sequence[Removal]]


@dataclass(frozen=True, slots=True)
class EraseOptions:
    """What an erasure is asked for.

    ``asked`` None means to finish what has begun.  ``sources`` hold photographs too, beside the
    source of the output.  ``outside_reach`` are sentences about traces that no command removes.
    """

    output: Location
    sources: Sequence[Location]
    asked: ErasureRequest | None
    with_copies: bool
    is_dry_run: bool
    outside_reach: Sequence[str]
    max_points: int
    verbose: bool


def erase(options: EraseOptions, spark: GetSpark) -> ExitCode:
    """Erase what is asked for and what earlier erasures have left undone.

    Spark is started where many features are left to fit a PCA to.  Raises FruitsError
    where nothing is found, or something cannot be removed.
    """
    output = Output.open(options.output)
    begin_or_plan(options, output)
    if options.is_dry_run:
        return ExitCode.DONE
    removals = remove_from_sources(output)
    for erasure in pending_erasures(output):
        log_rewritten(rewrite_output(spark, output, erasure, max_points=options.max_points))
    return conclude_all(options, output, removals)


def remove_from_sources(output: Output) -> Removals:
    """Remove the photographs of every erasure that has begun; return what came of each."""
    return {erasure.erasure_id: remove_photographs(erasure) for erasure in pending_erasures(output)}


def conclude_all(options: EraseOptions, output: Output, removals: Removals) -> ExitCode:
    """Conclude every erasure that has begun.  Raises FruitsError with what is left of one."""
    for erasure in pending_erasures(output):
        removed = removals.get(erasure.erasure_id, [])
        log_certificate(
            output, conclude(output, erasure, removed, outside_reach=options.outside_reach)
        )
    return ExitCode.DONE


def begin_or_plan(options: EraseOptions, output: Output) -> None:
    """Write the journal of what is asked for, or with ``is_dry_run`` say what would be erased.

    Raises FruitsError where there is nothing to erase and nothing to finish.
    """
    unfinished = pending_erasures(output)
    if options.asked is None:
        if not unfinished:
            raise FruitsError(f"no erasure is unfinished in {options.output.uri}")
        return
    try:
        planned = plan_erasure(
            output, options.sources, options.asked, with_copies=options.with_copies
        )
    except NothingFoundError:
        if not unfinished or options.is_dry_run:
            raise
        return  # what is asked for is gone already: it is what the journal holds
    log_plan(planned, is_dry_run=options.is_dry_run)
    if not options.is_dry_run:
        begin(output, planned)


def allow_again(output: Location, content_sha256: Sequence[str]) -> ExitCode:
    """Take digests off the list of erased images, so that such photographs are accepted.

    Raises FruitsError where one of them is not on it.
    """
    opened = Output.open(output)
    erased = read_denylist(opened)
    unknown = [digest for digest in content_sha256 if not erased.holds(digest)]
    if unknown:
        raise FruitsError(
            f"{unknown[0]} is not on the list of erased images of {output.uri}; give the SHA-256 "
            "of a photograph that was erased"
        )
    write_denylist(opened, erased.without(content_sha256))
    echo(f"{len(content_sha256)} digests are accepted again by {output.uri}")
    return ExitCode.DONE


_N_SHOWN = 10


def log_plan(planned: PlannedErasure, *, is_dry_run: bool) -> None:
    """Say what is to go: names, which are said here and kept nowhere."""
    erasure = planned.erasure
    held = ", ".join(f"{what}: {n}" for what, n in erasure.held.items())
    verb = "would erase" if is_dry_run else "erasing"
    echo(f"{verb} {counted(len(erasure.paths), 'image')}; {held}")
    for path in erasure.paths[:_N_SHOWN]:
        echo(f"  {printable(path)}")
    if len(erasure.paths) > _N_SHOWN:
        echo(f"  and {len(erasure.paths) - _N_SHOWN} more")
    share = planned.n_bytes / planned.n_bytes_of_all if planned.n_bytes_of_all else 0.0
    echo(
        f"{counted(planned.n_files, 'file')} of features to write anew, "
        f"{ENGLISH.size(planned.n_bytes)} of {ENGLISH.size(planned.n_bytes_of_all)} ({share:.2%})"
    )
    if planned.not_found:
        echo(f"not found, so not erased: {_names(planned.not_found)}")
    if planned.n_unread:
        unread = counted(planned.n_unread, "photograph")
        echo(f"{unread} could not be read: removed, and not recognized if uploaded again")
    if planned.copies:
        names = _names(planned.copies)
        echo(f"of the same content under other names: {names}; --copies erases them too")


def _names(paths: Sequence[str]) -> str:
    names = ", ".join(printable(path) for path in paths[:_N_SHOWN])
    n_more = len(paths) - _N_SHOWN
    return f"{names} and {n_more} more" if n_more > 0 else names


def log_rewritten(rewritten: Rewritten) -> None:
    """Say what became of the files of features."""
    rows, files = counted(rewritten.n_rows, "row"), counted(rewritten.n_files, "file")
    echo(f"{rows} of features removed from {files}")


def log_certificate(output: Output, certificate: Certificate) -> None:
    """Say that nothing is left, where that is written, and what it does not speak of."""
    file = certificate_file(output, certificate.erasure_id)
    echo(f"{counted(certificate.n_images, 'image')} erased; nothing of that is left within reach")
    echo(f"certificate: {file.uri}")
    for outside in certificate.outside_reach:
        echo(f"  not within reach: {outside}")
