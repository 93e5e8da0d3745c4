"""The commands of ``fruits``: the module of each, and its line of help.

A module has a ``COMMAND`` and is imported only when the command is called: the libraries of Spark
and AWS take longer to load than most commands to work.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command is, and the line that ``fruits --help`` prints of it."""

    module: str
    help: str


COMMANDS = {
    "run": Entry("spark_assets.jobs.pipeline", "featurize, reduce and report"),
    "featurize": Entry(
        "spark_assets.jobs.featurize", "compute a feature vector for each photograph"
    ),
    "reduce": Entry("spark_assets.jobs.reduce", "fit a PCA and project the features"),
    "report": Entry("spark_assets.jobs.report", "write the report of an output"),
    "evaluate": Entry("recognition.commands.evaluate", "evaluate a classifier on the features"),
    "identify": Entry("recognition.commands.identify", "predict the label of photographs"),
    "audit": Entry(
        "recognition.commands.audit", "find duplicates, label issues and defective photographs"
    ),
    "serve": Entry("recognition.commands.serve", "serve a web page that identifies photographs"),
    "erase": Entry("operations.commands.erase", "erase a photograph (GDPR art. 17)"),
    "vacuum": Entry("spark_assets.jobs.vacuum", "remove files left by interrupted commands"),
    "export-model": Entry(
        "operations.commands.export_model", "export the feature model (network) for the workers"
    ),
    "export-classifier": Entry(
        "recognition.commands.export_classifier", "export the classifier for a mobile application"
    ),
    "sample": Entry("operations.commands.sample", "generate synthetic sample photographs"),
    "cost": Entry("operations.commands.cost", "estimate the cost of a run in AWS"),
    "plan": Entry("operations.commands.plan", "print what a deployment creates, and its cost"),
    "preflight": Entry(
        "operations.commands.preflight", "check that the AWS account can take a deployment"
    ),
    "bootstrap": Entry("operations.commands.bootstrap", "prepare an AWS account for the CDK, once"),
    "build-artifacts": Entry(
        "operations.commands.build_artifacts", "build the packages and archives for the nodes"
    ),
    "synth": Entry("operations.commands.synth", "print the CloudFormation templates"),
    "diff": Entry("operations.commands.diff", "print what a deployment would change"),
    "deploy": Entry(
        "operations.commands.deploy",
        "deploy a cluster or EMR Serverless, run the steps",
    ),
    "destroy": Entry("operations.commands.destroy", "delete the cluster, or another stack"),
    "upload": Entry("operations.commands.upload", "upload photographs to AWS"),
    "submit": Entry("operations.commands.submit", "run the steps, or a notebook, in AWS"),
    "status": Entry("operations.commands.status", "follow the steps in AWS to their end"),
    "link": Entry("operations.commands.link", "print an expiring link to the report in AWS"),
    "receipt": Entry(
        "operations.commands.receipt", "print the actual cost in AWS beside the estimate"
    ),
    "retention": Entry(
        "operations.commands.retention", "print the retention of photographs, results and logs"
    ),
    "empty": Entry("operations.commands.empty", "delete all objects in the buckets"),
}
