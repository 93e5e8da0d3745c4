"""What the commands of the cloud have in common."""

import pytest

from operations import cli

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
