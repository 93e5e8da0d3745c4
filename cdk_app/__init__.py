"""The cloud of Fruits!: what `cdk deploy` makes, and nothing that runs on Spark."""
