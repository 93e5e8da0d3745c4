"""What every stack of the project has: a name, its place, its tags."""

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_app.config import PipelineConfig, stack_name


class ProjectStack(Stack):
    """A stack of one environment, named ``fruits-<environment>-<part>``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        part: str,
        description: str,
        termination_protection: bool = False,
    ) -> None:
        self._availability_zone = config.availability_zone
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name(config.environment, part),
            description=f"Fruits!: {description}",
            env=Environment(account=config.account or None, region=config.region),
            # CloudFormation puts them on every resource: the bill can be split by them.
            tags=config.tags,
            termination_protection=termination_protection,
        )

    @property
    def availability_zones(self) -> list[str]:
        """The zone of the configuration.  Left to the CDK, a known account is asked for its own."""
        return [self._availability_zone]
