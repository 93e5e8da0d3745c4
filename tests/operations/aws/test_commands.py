"""What the commands of the cloud have in common."""

import pytest

from operations import cli
from operations.commands.entry import run_cloud_entry
from spark_assets.errors import ExitCode, FruitsError

COMMANDS = ["upload", "submit", "status", "link", "receipt", "empty"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert "--environment {test,prod}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["upload"], *([command, "--environment", "moon"] for command in COMMANDS)]
)
def test_bad_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_stack_trace_is_there_for_those_who_ask():
    def work() -> ExitCode:
        raise FruitsError("this went wrong; do that")

    with pytest.raises(FruitsError, match="this went wrong"):
        run_cloud_entry(work, verbose=True, interrupted="interrupted")
    assert run_cloud_entry(work, verbose=False, interrupted="interrupted") == ExitCode.FAILED
