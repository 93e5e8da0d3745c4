"""The whole app: its stacks, and the rules that every synthesis is held against."""

from datetime import datetime

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from cdk_app.compute_stack import ComputeStack
from cdk_app.config import PipelineConfig
from cdk_app.data_stack import DataStack
from cdk_app.serverless_stack import ServerlessStack


def add_stacks(app: App, *, now: datetime) -> tuple[DataStack, ComputeStack, ServerlessStack]:
    """Add the data stack and the two that compute, as the context of the app asks.

    Those two know nothing of each other: either, or both, can be deployed.  ``now`` is in UTC.

    Raises ConfigError for a context that is not allowed.
    """
    config = PipelineConfig.from_context(app.node.get_all_context())
    data = DataStack(app, "FruitsData", config=config)
    compute = ComputeStack(
        app,
        "FruitsCompute",
        config=config,
        storage=data.storage,
        erasure_role=data.erasure_role.role,
        topic=data.notices.topic,
        now=now,
    )
    serverless = ServerlessStack(
        app,
        "FruitsServerless",
        config=config,
        storage=data.storage,
        erasure_role=data.erasure_role.role,
        topic=data.notices.topic,
    )
    return data, compute, serverless


def add_checks(app: App) -> None:
    """Hold the templates against cdk-nag's AwsSolutions: a finding ends the synthesis."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))
