"""The metrics that EMR sends of a cluster, and the dashboard of them."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_app.config import PipelineConfig

# EMR sends its metrics every five minutes; a shorter period would show gaps.
_PERIOD = Duration.minutes(5)
_WIDTH, _HEIGHT = 12, 6
# Metrics of EMR by the title of their graph.
_GRAPHS = {
    "Without work (1 is idle)": ("IsIdle",),
    "Applications": ("AppsRunning", "AppsPending", "AppsFailed"),
    "Nodes": ("CoreNodesRunning", "TaskNodesRunning"),
    "Memory that YARN has left, in percent": ("YARNMemoryAvailablePercentage",),
    "Bytes from and to S3": ("S3BytesRead", "S3BytesWritten"),
    "Disk of HDFS in use, in percent": ("HDFSUtilization",),
}


class EmrMetrics:
    """The metrics of one cluster, by EMR's own names."""

    def __init__(self, cluster_id: str) -> None:
        self._cluster_id = cluster_id

    def metric(
        self, name: str, *, statistic: str = "Average", period: Duration = _PERIOD
    ) -> cloudwatch.Metric:
        """Return a metric, such as ``IsIdle``, in the namespace of EMR."""
        return cloudwatch.Metric(
            namespace="AWS/ElasticMapReduce",
            metric_name=name,
            dimensions_map={"JobFlowId": self._cluster_id},
            statistic=statistic,
            period=period,
        )

    def hours_up(self) -> cloudwatch.MathExpression:
        """Return the hours that the cluster has been up since the beginning of a graph.

        Each period of five minutes with a metric counts.  The price per hour is not in the
        template: it changes, and a template should not change with it.
        """
        hours_per_period = _PERIOD.to_hours(integral=False)
        return cloudwatch.MathExpression(
            expression=f"RUNNING_SUM(0 * up + {hours_per_period:.6f})",
            using_metrics={"up": self.metric("IsIdle")},
            label="hours",
            period=_PERIOD,
        )


class Dashboard(Construct):
    """One dashboard of EMR's metrics, with a note on those of the chain."""

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
    """Return the note: a node has no route to CloudWatch, so the chain sends no metrics."""
    return (
        "**Images a second, rejected share, explained variance:** in the report of the run, "
        "`chain/report/index.html` in the bucket for results. The nodes reach S3, EMR and the key "
        "only, so the chain sends no metric of its own. **Progress of the steps:** "
        f"`fruits status --environment {config.environment}`. **Cost:** "
        f"`fruits receipt --environment {config.environment}`. EMR sends these metrics every five "
        "minutes, while the cluster is up."
    )
