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
