"""What belongs to no run and no PCA model that readers see: left by commands that died.

Found while the lease of the output is held, so that nothing of it can be of a command at work.
Only what this project names is looked at: what else lies in the folder is not ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.fs

from spark_assets.output.findings import dead_findings
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.pca_models import pca_records, projected_runs
from spark_assets.storage.files import delete_file, delete_folder, names_in
from spark_assets.storage.locations import Location

_BY_RUN = ("features", "rejected", "changes")
_OURS = (
    *_BY_RUN,
    *("manifests", "pca_model", "reduced", "feature_model", "report", "receipts"),
    *("erased", "erasures", "artefacts", "findings", "_erasing"),
)
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_NETWORK = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Orphan:
    """A folder or a file that nothing leads to, and what it is."""

    location: Location
    what: str


def find_orphans(layout: OutputLayout) -> list[Orphan]:
    """Return what dead commands have left in an output.  Raises FruitsError as `visible_runs`."""
    return list(_orphans(layout))


def remove_orphans(layout: OutputLayout, orphans: list[Orphan]) -> None:
    """Remove orphans, and the folder of staged files with the last of them."""
    for orphan in orphans:
        delete_folder(orphan.location)
        delete_file(orphan.location)
    staging = layout.output.child("_staging")
    if not names_in(staging):
        delete_folder(staging)


def size_of(orphan: Orphan) -> tuple[int, int]:
    """Return the files of an orphan and their bytes."""
    filesystem = orphan.location.filesystem
    info = filesystem.get_file_info(orphan.location.base)
    if info.type == pyarrow.fs.FileType.File:
        return 1, info.size
    selector = pyarrow.fs.FileSelector(orphan.location.base, allow_not_found=True, recursive=True)
    files = [
        info for info in filesystem.get_file_info(selector) if info.type == pyarrow.fs.FileType.File
    ]
    return len(files), sum(info.size for info in files)


def _orphans(layout: OutputLayout) -> Iterator[Orphan]:
    runs = visible_runs(layout)
    run_ids = {run.run_id for run in runs}
    for name in names_in(layout.output.child("_staging")):
        yield Orphan(layout.staging(name), "what a run needed only while it worked")
    for name in names_in(layout.manifests):
        if name.endswith(".json") and name.removesuffix(".json") not in run_ids:
            yield Orphan(layout.manifests.child(name), "the manifest of a run that was replaced")
    for table in _BY_RUN:
        folder = layout.output.child(table)
        for name in names_in(folder):
            if name.startswith("run_id=") and name.removeprefix("run_id=") not in run_ids:
                yield Orphan(folder.child(name), f"{table} of a run that did not end")
    yield from _of_models(layout, run_ids)
    for location in dead_findings(layout, runs):
        yield Orphan(location, "of an audit that did not end, or of runs that were replaced")
    networks = {run.feature_model.network_sha256[:16] for run in runs}
    for name in names_in(layout.output.child("feature_model")):
        if _NETWORK.fullmatch(name) and name not in networks:
            folder = layout.output.child("feature_model", name)
            yield Orphan(folder, "a network that no run has used")
    yield from _partial_files(layout)


def _of_models(layout: OutputLayout, run_ids: set[str]) -> Iterator[Orphan]:
    records = {record.model_id: record for record in pca_records(layout, run_ids)}
    for model_id in names_in(layout.pca_models):
        if _ID.fullmatch(model_id) and model_id not in records:
            yield Orphan(layout.pca_model(model_id), "a PCA model that was not finished")
    reduced = layout.output.child("reduced")
    for name in names_in(reduced):
        if not name.startswith("model_id="):
            continue
        record = records.get(name.removeprefix("model_id="))
        if record is None:
            yield Orphan(reduced.child(name), "reduced rows of a PCA model that was not finished")
            continue
        projected = set(projected_runs(layout, record))
        for part in names_in(reduced.child(name)):
            run_id = part.removeprefix("run_id=")
            if part == "_temporary" or (part != run_id and run_id not in projected):
                yield Orphan(reduced.child(name, part), "reduced rows that were not finished")


def _partial_files(layout: OutputLayout) -> Iterator[Orphan]:
    """Yield small files that a local command was writing when it died."""
    if layout.output.s3 is not None:
        return
    for name in _OURS:
        folder = layout.output.child(name)
        selector = pyarrow.fs.FileSelector(folder.base, allow_not_found=True, recursive=True)
        for info in folder.filesystem.get_file_info(selector):
            if info.type == pyarrow.fs.FileType.File and info.base_name.endswith(".partial"):
                yield Orphan(Location(info.path), "a file that was being written")
