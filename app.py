"""The CDK app: configuration, stacks, synthesis."""

import sys
from datetime import UTC, datetime

from aws_cdk import App

from cdk_app.app_stacks import add_checks, add_stacks
from cdk_app.config import ConfigError

if __name__ == "__main__":
    app = App()
    try:
        add_stacks(app, now=datetime.now(UTC))
    except ConfigError as error:
        sys.exit(f"fruits: {error}")
    add_checks(app)
    app.synth()
