"""Principal component analysis: statistics that merge, the model, projection and drift."""

from spark_assets.pca.model import PCAModel, fit, project
from spark_assets.pca.statistics import PCAStatistics

__all__ = ["PCAModel", "PCAStatistics", "fit", "project"]
