"""Looks before a deployment: ``python -m operations.preflight --stack compute -c key=value``.

A line for each check, on standard output, and below it the command that mends it. The exit code is
1 where a check failed; a warning lets the deployment go on.
"""

import argparse
import sys
from collections.abc import Sequence

from cdk_app.cluster.definition import define_cluster
from cdk_app.config import ConfigError, PipelineConfig
from operations.aws.clients import aws_client
from operations.cdk.context import parse_known, read_config
from operations.preflight.account import (
    check_bootstrap,
    check_budget,
    check_cleanup_role,
    check_credentials,
    check_notices,
    check_plan,
    check_serverless_role,
    check_spot_role,
    check_stack,
)
from operations.preflight.asking import Asking, Clients
from operations.preflight.capacity import (
    check_on_demand_quota,
    check_serverless_quota,
    check_spot_quota,
    check_vpc_quota,
)
from operations.preflight.facts import Computing
from operations.preflight.outcomes import Level, Outcome, closing_sentence, text_of
from operations.preflight.place import (
    check_endpoint_services,
    check_instance_types,
    check_prefix_list,
    check_release,
)


def outcomes_of(config: PipelineConfig, stack: Computing, asking: Asking) -> list[Outcome]:
    """Return what came of each check; of the credentials alone where they do not work."""
    credentials = check_credentials(config, asking.account())
    if credentials.level is Level.FAILED:
        return [credentials]
    facts = asking.facts(config, stack)
    of_the_stack = _of_cluster if stack is Computing.COMPUTE else _of_serverless
    return [
        credentials,
        check_plan(stack, facts),
        check_budget(config, facts),
        check_bootstrap(facts),
        check_stack(config, stack, facts.stack),
        *of_the_stack(config, asking),
        check_release(facts),
        check_notices(config, facts),
    ]


def _of_cluster(config: PipelineConfig, asking: Asking) -> list[Outcome]:
    # What EMR will be asked for; where its script lies makes no difference here.
    fleets = define_cluster(config, name="", bootstrap_uri="", bootstrap_arguments=()).fleets
    facts = asking.cluster_facts(config, fleets)
    on_spot = any(fleet.on_spot for fleet in fleets)
    return [
        *([check_spot_role(facts)] if on_spot else []),
        check_cleanup_role(facts),
        check_on_demand_quota(fleets, facts),
        *([check_spot_quota(fleets, facts)] if on_spot else []),
        check_vpc_quota(facts),
        check_instance_types(config, fleets, facts),
        check_endpoint_services(config, facts),
        check_prefix_list(facts),
    ]


def _of_serverless(config: PipelineConfig, asking: Asking) -> list[Outcome]:
    facts = asking.serverless_facts()
    return [
        check_serverless_role(facts),
        check_serverless_quota(config.serverless_max_vcpus, facts),
    ]


def main(arguments: Sequence[str] | None = None, *, clients: Clients = aws_client) -> int:
    """Print what came of the checks; return the exit code."""
    parser = argparse.ArgumentParser(prog="operations.preflight", allow_abbrev=False)
    parser.add_argument(
        "--stack", choices=[each.value for each in Computing], default=Computing.COMPUTE.value
    )
    parser.add_argument(
        "--verbose", action="store_true", help="raise what AWS answers instead of telling it"
    )
    parsed = parse_known(parser, arguments)
    try:
        config = read_config(parsed.context)
    except ConfigError as error:
        print(f"fruits: {error}", file=sys.stderr)
        return 1
    outcomes = outcomes_of(config, Computing(parsed.stack), Asking(clients, verbose=parsed.verbose))
    option = "" if parsed.stack == Computing.COMPUTE else f" STACK={parsed.stack}"
    print(
        text_of(
            f"What the account has for make deploy{option} in {config.region}, "
            f"environment {config.environment}:",
            outcomes,
        )
    )
    if (sentence := closing_sentence(outcomes)) is None:
        return 0
    sys.stdout.flush()
    print(f"fruits: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
