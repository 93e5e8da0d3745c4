"""An output as an object: its place, the change that may be under way, and what is there.

Its folder holds the current state and nothing else, so that anybody's reader is right.
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
# What earlier versions called the folder of their runs.
_FORMER = "manifests"


@dataclass(frozen=True, slots=True)
class Output:
    """What an output holds once ``log`` is done, None where no change is under way."""

    location: Location
    log: CommitLog | None = None

    @classmethod
    def open(cls, location: Location) -> "Output":
        """Return an output as it is now.  Raises FruitsError for one of an earlier version."""
        if names_in(location.child(_FORMER)):
            raise FruitsError(
                f"{location.uri} was written by an earlier version, which kept its history in "
                "tables; choose another output, and featurize the images into that"
            )
        return cls(location, read_log(location))

    def after(self, change: Change) -> "Output":
        """Return the output as it is once a change is made, to build on before that."""
        return Output(self.location, change.log)

    @property
    def uri(self) -> str:
        """The form in which messages name it."""
        return self.location.uri

    def child(self, path: str) -> Location:
        """Return where a file or a folder is to be found by those who type its path."""
        return self.location.child(path)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None where there is no such file."""
        if self.log is not None:
            if path in self.log.remove:
                return None
            if path in self.log.add:
                content = read_bytes(staged(self.location, self.log.change_id).child(path))
                if content is not None:
                    return content
        return read_bytes(self.child(path))

    def read_json(self, path: str) -> dict[str, Any] | None:
        """Return the object in a JSON file, or None where there is no such file."""
        content = self.read(path)
        return None if content is None else json.loads(content)

    def folder(self, name: str) -> Folder:
        """Return a folder to read files of."""
        return Folder(self.child(name).uri, lambda file: self.read(f"{name}/{file}"))

    def files(self, folder: str) -> dict[str, Location]:
        """Return the files of a folder by name, in order of the names."""
        return live_files(self.location, self.log, folder)


def check_output(location: Location) -> None:
    """Raise FruitsError where there is nothing to work on; to take its lease makes its folder."""
    try:
        is_there = bool(names_in(location))
    except NotADirectoryError:
        is_there = False
    if not is_there:
        raise FruitsError(f"there is nothing at {location.uri}; give the output of a run")
