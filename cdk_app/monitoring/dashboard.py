"""What a person sees of a cluster at a glance."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.monitoring.emr_metrics import EmrMetrics

_WIDTH, _HEIGHT = 12, 6
# Title, and the metrics that EMR sends.
_GRAPHS = {
    "Without work (1 is idle)": ("IsIdle",),
    "Applications": ("AppsRunning", "AppsPending", "AppsFailed"),
    "Nodes": ("CoreNodesRunning", "TaskNodesRunning"),
    "Memory that YARN has left, in percent": ("YARNMemoryAvailablePercentage",),
    "Bytes from and to S3": ("S3BytesRead", "S3BytesWritten"),
    "Disk of HDFS in use, in percent": ("HDFSUtilization",),
}


class Dashboard(Construct):
    """One dashboard with what EMR measures, and a word on what it does not."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, metrics: EmrMetrics
    ) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Board", dashboard_name=f"fruits-{config.environment}")
        board.add_widgets(
            cloudwatch.TextWidget(markdown=_elsewhere(config), width=2 * _WIDTH, height=3)
        )
        graphs = [
            cloudwatch.GraphWidget(
                title=title,
                left=[metrics.metric(name) for name in names],
                width=_WIDTH,
                height=_HEIGHT,
            )
            for title, names in _GRAPHS.items()
        ]
        graphs.append(
            cloudwatch.GraphWidget(
                title="Hours that the cluster has been up, since the beginning of the graph",
                left=[metrics.hours_up()],
                width=_WIDTH,
                height=_HEIGHT,
            )
        )
        for i in range(0, len(graphs), 2):
            board.add_widgets(*graphs[i : i + 2])


def _elsewhere(config: PipelineConfig) -> str:
    """Say where the measures of the chain are: a node has no way to CloudWatch."""
    return (
        "**Images a second, rejected share, explained variance:** in the report of the run, "
        "`chain/report/index.html` in the bucket for results. The nodes reach S3, EMR and the key "
        "only, so the chain sends no metric of its own. **How far the steps are:** "
        f"`fruits status --environment {config.environment}`. **What it has cost:** "
        f"`fruits receipt --environment {config.environment}`. EMR sends what is below every five "
        "minutes, while the cluster is up."
    )
