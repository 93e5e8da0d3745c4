"""How the commands of make and of fruits are given for an environment, as texts name them."""

from cdk_app.config import Environment


def make_command(target: str, environment: Environment) -> str:
    """Return a command of make; ``target`` may hold variables, as in ``destroy STACK=data``."""
    if environment is Environment.TEST:
        return f"make {target}"
    return f"make {target} ENVIRONMENT={environment}"


def fruits_command(words: str, environment: Environment) -> str:
    """Return a command of fruits, such as ``submit --follow``."""
    if environment is Environment.TEST:
        return f"fruits {words}"
    return f"fruits {words} --environment {environment}"


def installed_fruits_command(words: str, environment: Environment) -> str:
    """Return a command of fruits where make has installed it, for those who have only used make."""
    return f".venv/bin/{fruits_command(words, environment)}"
