"""Who is told of what: an idle cluster, a failure, and what the month has cost."""

import json
import re

import pytest

from tests.infrastructure.policies import allows
from tests.infrastructure.synthesis import ACCOUNT

CLOUDWATCH, EVENTS, BUDGETS = (
    f"{name}.amazonaws.com" for name in ("cloudwatch", "events", "budgets")
)
OWN = {"aws:SourceAccount": ACCOUNT}
TLS = {"aws:SecureTransport": "true"}


@pytest.fixture(scope="module")
def cluster(made):
    (logical_id,) = made.compute.resources("AWS::EMR::Cluster")
    return logical_id


@pytest.fixture(scope="module")
def topic(made):
    (logical_id,) = made.data.resources("AWS::SNS::Topic")
    return made.data.resolve({"Ref": logical_id})


@pytest.fixture(scope="module")
def key_policy(made):
    return made.data.only("AWS::KMS::Key")["KeyPolicy"]["Statement"]


def test_a_cluster_without_work_for_half_an_hour_is_told_of(made, cluster, topic):
    alarm = made.compute.only("AWS::CloudWatch::Alarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ElasticMapReduce", "IsIdle")
    assert alarm["Dimensions"] == [{"Name": "JobFlowId", "Value": cluster}]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 30 * 60
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Minimum", 1)
    assert alarm["AlarmActions"] == [topic]


def test_a_cluster_that_has_ended_is_no_alarm(made):
    assert made.compute.only("AWS::CloudWatch::Alarm")["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("detail_type", "state"),
    [
        ("EMR Step Status Change", "FAILED"),
        ("EMR Cluster State Change", "TERMINATED_WITH_ERRORS"),
    ],
)
def test_a_failure_of_this_cluster_is_told_of(made, cluster, topic, detail_type, state):
    rules = made.compute.resources("AWS::Events::Rule").values()
    (rule,) = (r for r in rules if r["EventPattern"]["detail-type"] == [detail_type])
    assert rule["EventPattern"]["source"] == ["aws.emr"]
    assert rule["EventPattern"]["detail"] == {"clusterId": [cluster], "state": [state]}
    (target,) = rule["Targets"]
    assert target["Arn"] == topic
    # The words of EMR itself, which could hold a name of a photograph, stay out.
    assert "InputPath" not in target
    assert "$." not in json.dumps(target)


def test_a_compute_stack_that_is_not_deleted_is_told_of_by_the_data_stack(either):
    rule = either.data.only("AWS::Events::Rule")
    assert rule["EventPattern"]["source"] == ["aws.cloudformation"]
    assert rule["EventPattern"]["detail-type"] == ["CloudFormation Stack Status Change"]
    detail = rule["EventPattern"]["detail"]
    assert detail["status-details"] == {"status": ["DELETE_FAILED"]}
    (stack_id,) = detail["stack-id"]
    assert either.compute.resolve({"Ref": "AWS::StackId"}).startswith(stack_id["prefix"])
    assert not either.data.resolve({"Ref": "AWS::StackId"}).startswith(stack_id["prefix"])
    (target,) = rule["Targets"]
    (topic,) = either.data.resources("AWS::SNS::Topic")
    assert target["Arn"] == either.data.resolve({"Ref": topic})


def test_the_month_is_told_of_at_80_and_at_100_percent(made, topic):
    budget = made.data.only("AWS::Budgets::Budget")
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    told = [each["Notification"] for each in budget["NotificationsWithSubscribers"]]
    assert {(n["NotificationType"], n["Threshold"], n["ThresholdType"]) for n in told} == {
        ("ACTUAL", 80, "PERCENTAGE"),
        ("ACTUAL", 100, "PERCENTAGE"),
    }
    for each in budget["NotificationsWithSubscribers"]:
        assert each["Subscribers"] == [{"SubscriptionType": "SNS", "Address": topic}]


def test_the_budget_is_what_is_asked_for(changed):
    budget = changed.data.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"]["Amount"] == 200


def test_test_counts_the_whole_account_for_a_tag_counts_only_once_activated(made, made_prod):
    assert "CostFilters" not in made.data.only("AWS::Budgets::Budget")["Budget"]
    of_prod = made_prod.data.only("AWS::Budgets::Budget")["Budget"]
    assert of_prod["CostFilters"] == {"TagKeyValue": ["user:project$fruits"]}


def test_an_account_that_may_have_no_budget_is_deployed_without_one(least):
    assert least.data.resources("AWS::Budgets::Budget") == {}


def test_a_budget_that_aws_refuses_takes_no_cluster_along(either):
    assert either.compute.resources("AWS::Budgets::Budget") == {}


def test_nobody_is_subscribed_unless_an_address_is_given(made, changed):
    assert made.data.resources("AWS::SNS::Subscription") == {}
    subscription = changed.data.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "team@example.org")


def test_the_topic_is_encrypted_with_the_key_and_takes_tls_only(either):
    key = either.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    assert either.data.only("AWS::SNS::Topic")["KmsMasterKeyId"] == key
    statements = either.data.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }.items() <= {k: v for s in statements if s["Effect"] == "Deny" for k, v in s.items()}.items()


@pytest.mark.parametrize(
    ("service", "source", "allowed"),
    [
        (CLOUDWATCH, OWN, True),
        (BUDGETS, OWN, True),
        (EVENTS, {}, True),
        (CLOUDWATCH, {"aws:SourceAccount": "999999999999"}, False),
        (BUDGETS, {}, False),
        ("s3.amazonaws.com", OWN, False),
    ],
)
def test_what_watches_may_publish_and_use_the_key_for_it(
    made, topic, key_policy, service, source, allowed
):
    statements = made.data.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    published = allows(statements, "sns:Publish", topic, principal=service, **TLS, **source)
    assert published is allowed
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert allows(key_policy, action, principal=service, **source) is allowed
    assert not allows(key_policy, "kms:ScheduleKeyDeletion", principal=service, **source)


def test_the_dashboard_shows_this_cluster_and_no_figure_that_nobody_measures(made, cluster):
    board = json.loads(made.compute.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    graphs = [w["properties"] for w in board["widgets"] if w["type"] == "metric"]
    shown = [m for graph in graphs for m in graph["metrics"] if isinstance(m[0], str)]
    assert {metric[0] for metric in shown} == {"AWS/ElasticMapReduce"}
    assert {tuple(metric[2:4]) for metric in shown} == {("JobFlowId", cluster)}
    names = {metric[1] for metric in shown}
    assert {"IsIdle", "AppsRunning", "CoreNodesRunning", "TaskNodesRunning"} <= names
    assert {"YARNMemoryAvailablePercentage", "S3BytesRead", "S3BytesWritten"} <= names
    (text,) = (w["properties"]["markdown"] for w in board["widgets"] if w["type"] == "text")
    assert "chain/report/index.html" in text
    assert "fruits status --environment test" in text


def test_the_dashboard_counts_the_hours_of_the_cluster_and_knows_no_price(made):
    board = json.loads(made.compute.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    graphs = [w["properties"] for w in board["widgets"]]
    (graph,) = (g for g in graphs if "Hours" in g.get("title", ""))
    (sum_so_far,) = (m[0] for m in graph["metrics"] if isinstance(m[0], dict))
    found = re.fullmatch(r"RUNNING_SUM\(0 \* up \+ ([\d.]+)\)", sum_so_far["expression"])
    # Of five minutes, as often as EMR measures.
    assert sum_so_far.get("period", 300) == 300
    assert float(found[1]) * 12 == pytest.approx(1, rel=1e-4)
    assert "USD" not in json.dumps(board)
