"""What EMR measures of a cluster, without an agent and at no cost."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

# EMR sends its metrics every five minutes; a shorter period would show gaps.
_PERIOD = Duration.minutes(5)


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
        """Return how long the cluster has been up since the beginning of what a graph shows.

        Each five minutes count in which EMR sent a measure of it.  The price per hour is not in the
        template: it changes, and a template should not change with it.
        """
        hours_per_period = _PERIOD.to_hours(integral=False)
        return cloudwatch.MathExpression(
            expression=f"RUNNING_SUM(0 * up + {hours_per_period:.6f})",
            using_metrics={"up": self.metric("IsIdle")},
            label="hours",
            period=_PERIOD,
        )
