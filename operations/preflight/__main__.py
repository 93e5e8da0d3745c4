"""``python -m operations.preflight --stack compute -c key=value``: checks before a deployment.

One line per check on standard output, with the command that helps.  The exit code is 1 if a check
failed; warnings let the deployment go on.
"""

import argparse
import sys
from collections.abc import Sequence

from cdk_app.config import ConfigError
from operations.aws.clients import aws_client
from operations.cdk.context import parse_known, read_config
from operations.preflight.account_reader import Clients
from operations.preflight.finding import Computing, closing_sentence, preflight_text
from operations.preflight.run_preflight import run_preflight


def main(arguments: Sequence[str] | None = None, *, clients: Clients = aws_client) -> int:
    """Print the outcomes; return the exit code."""
    parser = argparse.ArgumentParser(prog="operations.preflight", allow_abbrev=False)
    parser.add_argument(
        "--stack", choices=[each.value for each in Computing], default=Computing.COMPUTE.value
    )
    parser.add_argument("--verbose", action="store_true", help="stack traces of errors of AWS")
    parsed = parse_known(parser, arguments)
    try:
        config = read_config(parsed.context)
    except ConfigError as error:
        print(f"fruits: {error}", file=sys.stderr)
        return 1
    outcomes = run_preflight(config, Computing(parsed.stack), clients, verbose=parsed.verbose)
    option = "" if parsed.stack == Computing.COMPUTE else f" STACK={parsed.stack}"
    heading = (
        f"Checks for make deploy{option} in {config.region}, environment {config.environment}:"
    )
    print(preflight_text(heading, outcomes))
    if (sentence := closing_sentence(outcomes)) is None:
        return 0
    sys.stdout.flush()
    print(f"fruits: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
