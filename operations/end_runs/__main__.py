"""Makes way for a deletion: ``python -m operations.end_runs [--stop] -c environment=test``.

Refuses while a run on demand is under way, or stops it with ``--stop``; then ends the clusters and
deletes the endpoints that runs have left. Says nothing where there is nothing to do.
"""

import argparse
import sys
from collections.abc import Sequence

from cdk_app.config import ConfigError, PipelineConfig
from operations.aws.clients import Client, aws_client
from operations.aws.failures import aws_failures
from operations.cdk.context import parse_known, read_config
from operations.end_runs.leftovers import delete_endpoints, end_clusters
from operations.end_runs.stack import find_run_stack, running_executions
from operations.end_runs.waiting import Waiting
from operations.plan.on_demand import follow_command, stop_command
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.progress import say


def end_runs(config: PipelineConfig, *, stop: bool, waiting: Waiting) -> None:
    """Leave nothing of a run behind.  Raises FruitsError where that cannot be."""
    stack = find_run_stack(config)
    if stack is None:
        return
    sfn, emr, ec2 = (aws_client(service) for service in ("stepfunctions", "emr", "ec2"))
    while True:
        if stack.machine_arn is not None and _stopped(sfn, stack.machine_arn, config, stop=stop):
            # What a run has asked of EMR last may take a moment to be seen.
            waiting.pause()
        # The clusters first: EMR reaches them by the endpoints.
        end_clusters(emr, config, waiting)
        if stack.vpc_id is not None:
            delete_endpoints(ec2, config, stack.vpc_id, waiting)
        # The clock, or somebody else, may have started another in these minutes.
        if stack.machine_arn is None or not running_executions(sfn, stack.machine_arn):
            return


def _stopped(sfn: Client, machine_arn: str, config: PipelineConfig, *, stop: bool) -> bool:
    """Stop what runs, and tell whether anything did.  Raises FruitsError unless it may."""
    running = running_executions(sfn, machine_arn)
    for execution_arn in running:
        name = execution_arn.rpartition(":")[2]
        if not stop:
            raise FruitsError(
                f"the run {name} is under way and needs this stack to end its cluster, so nothing "
                f"was deleted; follow it with: {follow_command(config)}, or stop it with: "
                f"{stop_command(config)}"
            )
        sfn.stop_execution(executionArn=execution_arn)
        say(f"stopped the run {name}; what its steps have completed stays")
    return bool(running)


def main(arguments: Sequence[str] | None = None, *, waiting: Waiting | None = None) -> int:
    """Return 0 where the stack can be deleted, and 1 with a sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="operations.end_runs", allow_abbrev=False)
    parser.add_argument("--stop", action="store_true", help="stop a run that is under way")
    parser.add_argument("--verbose", action="store_true", help="raise what fails")
    parsed = parse_known(parser, arguments)
    try:
        with aws_failures():
            end_runs(read_config(parsed.context), stop=parsed.stop, waiting=waiting or Waiting())
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except (ConfigError, FruitsError) as error:
        if parsed.verbose:
            raise
        print(f"fruits: {error}", file=sys.stderr)
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
