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
    max_held_bytes
        All photographs that are being received or that wait, together.
    process_bytes
        What a process may take to look at a photograph, beyond what it holds at rest.
    head_seconds, body_seconds, look_seconds, answer_seconds
        How long the head of a request may take to come, its photograph, looking at that, and the
        answer on its way.
    n_at_a_time
        Photographs that are looked at, in a process each.
    n_waiting
        Photographs that wait for it.
    n_connections
        Open connections; of those that have asked for nothing, the oldest makes room.
    """

    max_bytes: int = 20 * MIB
    max_megapixels: float = 50.0
    max_held_bytes: int = 160 * MIB
    process_bytes: int = 640 * MIB
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    look_seconds: float = 20.0
    answer_seconds: float = 10.0
    n_at_a_time: int = 2
    n_waiting: int = 16
    n_connections: int = 100

    @property
    def image_limits(self) -> ImageLimits:
        """The limits of one photograph."""
        return ImageLimits(self.max_bytes, self.max_megapixels)

    @property
    def request_seconds(self) -> float:
        """What a whole request may take.

        It comes, waits as long as another is looked at, and for a process that starts, is looked
        at, and is answered.
        """
        return self.body_seconds + 3 * self.look_seconds + self.answer_seconds
