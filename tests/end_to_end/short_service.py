"""The service with a short time limit: ``python -m tests.end_to_end.short_service OUTPUT``."""

import sys

from recognition.classifier.identifier import FruitIdentifier
from recognition.service.limits import ServiceLimits
from recognition.service.server import serve
from spark_assets.storage.locations import parse_location

LIMITS = ServiceLimits(identify_seconds=4.0)

if __name__ == "__main__":
    identifier = FruitIdentifier.from_output(parse_location(sys.argv[1]))
    serve(identifier, LIMITS, host="127.0.0.1", port=0, verbose=False)
