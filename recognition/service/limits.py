"""What one request, and all of them together, may take of the machine."""

from dataclasses import dataclass

from spark_assets.images.rejection import ImageLimits

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """The limits of the service; times are in seconds, sizes in bytes.

    Attributes
    ----------
    max_bytes, max_megapixels
        The largest photograph.
    max_concurrent
        Photographs that are being received, wait for a worker or are being identified.
    n_workers
        Worker processes, each with one photograph at a time.
    worker_bytes
        What a worker may allocate beyond what it holds at rest.
    body_seconds, wait_seconds, identify_seconds
        How long a photograph may take to arrive, from there to its prediction, and in a worker.
    n_connections
        Open connections.
    """

    max_bytes: int = 20 * MIB
    max_megapixels: float = 50.0
    max_concurrent: int = 16
    n_workers: int = 2
    worker_bytes: int = 640 * MIB
    body_seconds: float = 30.0
    wait_seconds: float = 90.0
    identify_seconds: float = 20.0
    n_connections: int = 100

    @property
    def image_limits(self) -> ImageLimits:
        """The limits of one photograph."""
        return ImageLimits(self.max_bytes, self.max_megapixels)
