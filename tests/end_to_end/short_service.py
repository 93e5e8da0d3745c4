"""A service whose clients must hurry: ``python -m tests.end_to_end.short_service OUTPUT``."""

import sys

from recognition.classifier.identifier import FruitIdentifier
from recognition.service.limits import ServiceLimits
from recognition.service.server import serve
from spark_assets.storage.locations import parse_location

HEAD_SECONDS, BODY_SECONDS, LOOK_SECONDS = 2.0, 2.0, 4.0
LIMITS = ServiceLimits(
    head_seconds=HEAD_SECONDS,
    body_seconds=BODY_SECONDS,
    look_seconds=LOOK_SECONDS,
    answer_seconds=30.0,  # a busy machine
)

if __name__ == "__main__":
    identifier = FruitIdentifier.from_output(parse_location(sys.argv[1]))
    serve(identifier, LIMITS, host="127.0.0.1", port=0, verbose=False)
