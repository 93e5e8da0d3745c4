"""What an erasure says while it works."""

from spark_assets.erasure.begin import PlannedErasure
from spark_assets.erasure.tables import Rewritten
from spark_assets.output.certificates import Certificate
from spark_assets.output.layout import OutputLayout
from spark_assets.progress import say
from spark_assets.report.wording import printable

_N_SHOWN = 10
_MB = 1_000_000


def say_planned(planned: PlannedErasure, *, is_dry_run: bool) -> None:
    """Say what is to go: names, which are said here and kept nowhere."""
    erasure, rewritten = planned.erasure, planned.rewritten
    share = rewritten.n_bytes / planned.n_feature_bytes if planned.n_feature_bytes else 0.0
    held = ", ".join(f"{n} {what}" for what, n in erasure.held.items())
    say(f"{'would erase' if is_dry_run else 'erasing'} {len(erasure.paths)} images: {held}")
    for path in erasure.paths[:_N_SHOWN]:
        say(f"  {printable(path)}")
    if len(erasure.paths) > _N_SHOWN:
        say(f"  and {len(erasure.paths) - _N_SHOWN} more")
    say(
        f"{rewritten.n_files} files of features to write anew, {rewritten.n_bytes / _MB:.1f} of "
        f"{planned.n_feature_bytes / _MB:.1f} MB ({share:.2%}); {len(erasure.model_ids)} PCA "
        f"models and {len(erasure.artefacts)} other artefacts made from them"
    )
    if planned.copies:
        names = ", ".join(printable(path) for path in planned.copies[:_N_SHOWN])
        more = f" and {len(planned.copies) - _N_SHOWN} more" if len(planned.copies) > 10 else ""
        say(f"of the same content under other names: {names}{more}; --copies erases them too")


def say_rewritten(rewritten: Rewritten) -> None:
    """Say what became of the files of features."""
    say(f"{rewritten.n_rows} rows of features removed from {rewritten.n_files} files")


def say_certified(layout: OutputLayout, certificate: Certificate) -> None:
    """Say that nothing is left, where that is written, and what it does not speak of."""
    file = layout.erasures.child(f"{certificate.erasure_id}.json")
    say(f"{certificate.n_images} images erased; nothing of them is left within reach")
    say(f"certificate: {file.uri}")
    for outside in certificate.outside_reach:
        say(f"  not within reach: {outside}")
