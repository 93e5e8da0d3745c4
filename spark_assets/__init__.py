"""Photographs to features to principal components: everything that Spark runs."""

__version__ = "0.1.0"
