"""What an erasure says while it works."""

from collections.abc import Sequence

from spark_assets.chain.rewrite import Rewritten
from spark_assets.erasure.begin import PlannedErasure
from spark_assets.output.erasure_journal import Certificate, certificate_file
from spark_assets.output.output import Output
from spark_assets.runtime.progress import echo
from spark_assets.text.numbers import counted, size
from spark_assets.text.printable import printable

_N_SHOWN = 10


def say_planned(planned: PlannedErasure, *, is_dry_run: bool) -> None:
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
        f"{counted(planned.n_files, 'file')} of features to write anew, {size(planned.n_bytes)} of "
        f"{size(planned.n_bytes_of_all)} ({share:.2%})"
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


def say_rewritten(rewritten: Rewritten) -> None:
    """Say what became of the files of features."""
    rows, files = counted(rewritten.n_rows, "row"), counted(rewritten.n_files, "file")
    echo(f"{rows} of features removed from {files}")


def say_certified(output: Output, certificate: Certificate) -> None:
    """Say that nothing is left, where that is written, and what it does not speak of."""
    file = certificate_file(output, certificate.erasure_id)
    echo(f"{counted(certificate.n_images, 'image')} erased; nothing of that is left within reach")
    echo(f"certificate: {file.uri}")
    for outside in certificate.outside_reach:
        echo(f"  not within reach: {outside}")
