"""Where everything that runs leave behind lives under one output."""

from dataclasses import dataclass

from spark_assets.errors import FruitsError
from spark_assets.storage.files import names_in
from spark_assets.storage.locations import Location


def check_output(output: Location) -> None:
    """Raise FruitsError where there is nothing to work on; to take its lease makes its folder."""
    try:
        is_there = bool(names_in(output))
    except NotADirectoryError:
        is_there = False
    if not is_there:
        raise FruitsError(f"there is nothing at {output.uri}; give the output of a run")


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """The folders under ``--output``."""

    output: Location

    def features(self, run_id: str) -> Location:
        return self.output.child("features", f"run_id={run_id}")

    def rejected(self, run_id: str) -> Location:
        return self.output.child("rejected", f"run_id={run_id}")

    def changes(self, run_id: str) -> Location:
        return self.output.child("changes", f"run_id={run_id}")

    def pca_model(self, model_id: str) -> Location:
        return self.output.child("pca_model", model_id)

    def reduced(self, model_id: str) -> Location:
        return self.output.child("reduced", f"model_id={model_id}")

    def reduced_by(self, model_id: str, run_id: str) -> Location:
        """Return what one run has found, in the space of one model."""
        return self.reduced(model_id).child(f"run_id={run_id}")

    def projections(self, model_id: str) -> Location:
        """Return where it is noted which runs were projected after a model was made."""
        return self.pca_model(model_id).child("projections")

    def classifier(self, model_id: str) -> Location:
        """Return where the classifier in the space of a PCA model is kept, and how good it is."""
        return self.pca_model(model_id).child("classifier")

    def manifest(self, run_id: str) -> Location:
        return self.manifests.child(f"{run_id}.json")

    @property
    def manifests(self) -> Location:
        return self.output.child("manifests")

    @property
    def lease(self) -> Location:
        """Tell what is at work on the output."""
        return self.output.child("_lease.json")

    @property
    def erasing(self) -> Location:
        """Hold what is still to be erased: gone with the last of it."""
        return self.output.child("_erasing")

    @property
    def erased(self) -> Location:
        """Hold the salted digests of the images that are refused."""
        return self.output.child("erased", "list.json")

    @property
    def erasures(self) -> Location:
        """Hold the certificates of erasures."""
        return self.output.child("erasures")

    @property
    def artefacts(self) -> Location:
        """Hold the notes of what was made from the tables and is kept beside them."""
        return self.output.child("artefacts")

    @property
    def findings(self) -> Location:
        """Hold what an audit has found of the photographs: a table, and the record of it."""
        return self.output.child("findings")

    @property
    def receipts(self) -> Location:
        return self.output.child("receipts")

    @property
    def pca_models(self) -> Location:
        return self.output.child("pca_model")

    def feature_model(self, network_sha256: str) -> Location:
        """Return where the network of a run is kept, so that a later run can use the same."""
        return self.output.child("feature_model", network_sha256[:16])

    @property
    def report(self) -> Location:
        return self.output.child("report", "index.html")

    def staging(self, run_id: str) -> Location:
        """Hold what a run keeps while it works: gone when it ends, left out by every reader."""
        return self.output.child("_staging", run_id)
