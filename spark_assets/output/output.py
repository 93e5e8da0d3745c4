"""An output: its location, the change in progress, and its files.

Its folder holds the current state and nothing else, so that any Parquet reader gets it right.
"""

import json
from dataclasses import dataclass
from typing import Any

from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change, CommitLog, live_files, read_log, staged
from spark_assets.storage.files import Folder, names_in, read_bytes
from spark_assets.storage.locations import Location

FEATURES, REJECTED, REDUCED, FINDINGS = "features", "rejected", "reduced", "findings"
PCA_MODEL, FEATURE_MODEL, CLASSIFIER, RUNS = "pca_model", "feature_model", "classifier", "runs"
REPORT = "report/index.html"
# The folder of runs of earlier versions.
_FORMER = "manifests"


@dataclass(frozen=True, slots=True)
class Output:
    """An output as it is after ``log``, which is None where no change is in progress."""

    location: Location
    log: CommitLog | None = None

    @classmethod
    def open(cls, location: Location) -> "Output":
        """Return the current output.  Raises FruitsError for one of an earlier version."""
        if names_in(location.child(_FORMER)):
            raise FruitsError(
                f"{location.uri} was written by an earlier version, which kept its history in "
                "tables; choose another output, and featurize the images into that"
            )
        return cls(location, read_log(location))

    def after(self, change: Change) -> "Output":
        """Return the output as it will be after a change."""
        return Output(self.location, change.log)

    @property
    def uri(self) -> str:
        return self.location.uri

    def child(self, path: str) -> Location:
        """Return the location of a file or folder once no change is in progress."""
        return self.location.child(path)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None."""
        if self.log is not None:
            if path in self.log.remove:
                return None
            if path in self.log.add:
                content = read_bytes(staged(self.location, self.log.change_id).child(path))
                if content is not None:
                    return content
        return read_bytes(self.child(path))

    def read_json(self, path: str) -> dict[str, Any] | None:
        """Return the object in a JSON file, or None."""
        content = self.read(path)
        return None if content is None else json.loads(content)

    def folder(self, name: str) -> Folder:
        """Return a folder whose files can be read."""
        return Folder(self.child(name).uri, lambda file: self.read(f"{name}/{file}"))

    def files(self, folder: str) -> dict[str, Location]:
        """Return the files of a folder by name, sorted."""
        return live_files(self.location, self.log, folder)


def check_output(location: Location) -> None:
    """Raise FruitsError for an empty location, before a lease creates the folder."""
    try:
        exists = bool(names_in(location))
    except NotADirectoryError:
        exists = False
    if not exists:
        raise FruitsError(f"there is nothing at {location.uri}; give the output of a run")
