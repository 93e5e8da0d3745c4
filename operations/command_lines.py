"""The command lines that sentences name, for an environment."""

from cdk_app.config import Environment


def fruits_command(words: str, environment: Environment) -> str:
    """Return a command of fruits, such as ``submit --follow``."""
    if environment is Environment.TEST:
        return f"fruits {words}"
    return f"fruits {words} --environment {environment}"
