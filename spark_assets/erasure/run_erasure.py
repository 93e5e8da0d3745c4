"""An erasure from request to certificate: find, remove at the source, rewrite, verify, certify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

# The removals from the sources of each erasure, by its id.
Removals = Mapping[str, Sequence[Removal]]
_N_SHOWN = 10


@dataclass(frozen=True, slots=True)
class EraseOptions:
    """Options of an erasure.

    Attributes
    ----------
    sources : sequence of Location
        Other places that hold the photographs, beside the source of the output.
    request : ErasureRequest or None
        None to finish unfinished erasures only.
    outside_reach : sequence of str
        Places, for the certificate, that no command reaches.
    max_points : int
        Points in the figures of the report.
    """

    output: Location
    sources: Sequence[Location]
    request: ErasureRequest | None
    with_copies: bool
    is_dry_run: bool
    outside_reach: Sequence[str]
    max_points: int


def erase(options: EraseOptions, spark: GetSpark) -> ExitCode:
    """Erase the requested images, and finish earlier erasures.

    Spark is started where many features are left to fit a PCA to.  Raises FruitsError where no
    image is found or one cannot be removed.
    """
    output = Output.open(options.output)
    plan_and_begin(options, output)
    if options.is_dry_run:
        return ExitCode.DONE
    removals = remove_from_sources(output)
    for erasure in pending_erasures(output):
        rewritten = rewrite_output(spark, output, erasure, max_points=options.max_points)
        rows, files = counted(rewritten.n_rows, "row"), counted(rewritten.n_files, "file")
        echo(f"{rows} of features removed from {files}")
    return conclude_all(options, output, removals)


def plan_and_begin(options: EraseOptions, output: Output) -> None:
    """Write the journal of the requested erasure; with ``is_dry_run``, print its plan alone.

    Raises FruitsError where there is nothing to erase and nothing to finish.
    """
    unfinished = pending_erasures(output)
    if options.request is None:
        if not unfinished:
            raise FruitsError(f"no erasure is unfinished in {options.output.uri}")
        return
    try:
        planned = plan_erasure(
            output, options.sources, options.request, with_copies=options.with_copies
        )
    except NothingFoundError:
        if not unfinished or options.is_dry_run:
            raise
        return  # an unfinished erasure has removed the images already
    _log_plan(planned, is_dry_run=options.is_dry_run)
    if not options.is_dry_run:
        begin(output, planned)


def remove_from_sources(output: Output) -> Removals:
    """Remove the photographs of every unfinished erasure; return the removals of each."""
    return {erasure.erasure_id: remove_photographs(erasure) for erasure in pending_erasures(output)}


def conclude_all(options: EraseOptions, output: Output, removals: Removals) -> ExitCode:
    """Conclude every unfinished erasure.  Raises FruitsError with remaining traces."""
    for erasure in pending_erasures(output):
        removed = removals.get(erasure.erasure_id, [])
        certificate = conclude(output, erasure, removed, outside_reach=options.outside_reach)
        _log_certificate(output, certificate)
    return ExitCode.DONE


def allow_again(output: Location, content_sha256: Sequence[str]) -> ExitCode:
    """Remove digests from the denylist, so that runs accept these photographs again.

    Raises FruitsError where one of them is not on it.
    """
    current = Output.open(output)
    denylist = read_denylist(current)
    unknown = [digest for digest in content_sha256 if not denylist.holds(digest)]
    if unknown:
        raise FruitsError(
            f"{unknown[0]} is not on the list of erased images of {output.uri}; give the SHA-256 "
            "of a photograph that was erased"
        )
    write_denylist(current, denylist.without(content_sha256))
    echo(f"{len(content_sha256)} digests are accepted again by {output.uri}")
    return ExitCode.DONE


def _log_plan(planned: PlannedErasure, *, is_dry_run: bool) -> None:
    """Print the plan with the names of the images, which are stored in the journal alone."""
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
        f"{counted(planned.n_files, 'file')} of features to rewrite, "
        f"{ENGLISH.size(planned.n_bytes)} of {ENGLISH.size(planned.n_bytes_of_all)} ({share:.2%})"
    )
    if planned.not_found:
        echo(f"not found, so not erased: {_names(planned.not_found)}")
    if planned.n_unread:
        unread = counted(planned.n_unread, "photograph")
        echo(f"{unread} could not be read: removed, but not rejected if uploaded again")
    if planned.copies:
        echo(f"same content under other names: {_names(planned.copies)}; to erase, add --copies")


def _names(paths: Sequence[str]) -> str:
    names = ", ".join(printable(path) for path in paths[:_N_SHOWN])
    n_more = len(paths) - _N_SHOWN
    return f"{names} and {n_more} more" if n_more > 0 else names


def _log_certificate(output: Output, certificate: Certificate) -> None:
    echo(f"{counted(certificate.n_images, 'image')} erased; no trace left within reach")
    echo(f"certificate: {certificate_file(output, certificate.erasure_id).uri}")
    for outside in certificate.outside_reach:
        echo(f"  outside reach: {outside}")
