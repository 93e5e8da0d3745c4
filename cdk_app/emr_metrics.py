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

    def cost_so_far(self, usd_per_hour: float) -> cloudwatch.MathExpression:
        """Return what the cluster has cost since the beginning of what a graph shows, in USD.

        An estimate: the price of the whole cluster for each five minutes in which EMR sent a
        measure of it.
        """
        usd_per_period = usd_per_hour * _PERIOD.to_hours(integral=False)
        return cloudwatch.MathExpression(
            expression=f"RUNNING_SUM(0 * up + {usd_per_period:.6f})",
            using_metrics={"up": self.metric("IsIdle")},
            label="USD, an estimate",
            period=_PERIOD,
        )
