"""The archive of classes with which Spark starts in half the time; ``make setup`` makes it.

A JVM writes it when it ends, of the classes that it has loaded: those of a small run of the chain,
whose images are named in a list.  Such a list is read by Spark as all is that is not small: of the
classes that large runs need, a second of their start, a plain small run loads few.  Its network is
the one that a run takes where nobody chooses another, and is kept for that run: TensorFlow starts
and converts once for both, which takes a fifth of the first minute.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from spark_assets.runtime.java import CLASS_ARCHIVE

_SAMPLE = ["sample", "--images-per-label", "4", "--output"]
_RUN = ["run", "--master", "local[*]", "--weights", "auto", "--max-rejected", "1", "--images"]


def make_archive(archive: Path) -> None:
    """Run the chain on synthetic photographs and leave the archive of its classes.

    Where that fails, what failed is printed; Spark then starts as before, and an empty archive,
    which every JVM passes over, keeps this from being tried again.
    """
    archive.unlink(missing_ok=True)
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    with tempfile.TemporaryDirectory() as folder:
        photographs, image_list = Path(folder, "photographs"), Path(folder, "list.txt")
        failure = _failure([*_SAMPLE, str(photographs)], partial)
        if failure is None:
            names = (str(path.relative_to(photographs)) for path in photographs.rglob("*.*"))
            image_list.write_text("\n".join(names))
            places = [str(photographs), "--image-list", str(image_list), "--output"]
            failure = _failure([*_RUN, *places, f"{folder}/out"], partial)
    if failure is None and partial.is_file():
        partial.replace(archive)
        return
    why = failure or "no JVM has left one"
    print(f"Spark starts without an archive of its classes: {why}", file=sys.stderr)
    archive.touch()


def _failure(arguments: list[str], archive: Path) -> str | None:
    """Run a command whose JVM leaves an archive when it ends; return its output if it failed."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "operations.cli", *arguments],
        env={**os.environ, "FRUITS_JVM_OPTIONS": f'"-XX:ArchiveClassesAtExit={archive}"'},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip() if done.returncode else None


if __name__ == "__main__":
    make_archive(CLASS_ARCHIVE)
