"""A network without a way out, and the endpoints through which it reaches what it needs."""

from itertools import product

import pytest

from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ASSETS_BUCKET

PRIMARY, WORKERS, ENDPOINTS = (
    "NetworkPrimary3DC51D5D",
    "NetworkWorkersCDCB61FD",
    "NetworkEndpointsF8B8492F",
)
EMR_TAG = {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"}
# AWS's own, in Frankfurt, that a node of EMR reads while it starts.
EMR_READS = {
    "al2023-repos-eu-central-1-de612dc2",
    "repo.eu-central-1.emr.amazonaws.com",
    "aws157-instance-data-0-prod-eu-central-1",
    "aws157-instance-data-1-prod-eu-central-1",
}
EMR_WRITES = {"aws157-logs-prod-eu-central-1"}
# EMR Management Guide: all TCP to S3 from a private subnet, and s3:Put* for EMR's own logs.
DOCUMENTED_PORTS, NARROW_PORTS = (0, 65535), (443, 443)


def endpoints_of(made):
    endpoints = made.compute.resources("AWS::EC2::VPCEndpoint").values()
    return {endpoint["ServiceName"]: endpoint for endpoint in endpoints}


def s3_statements(made):
    return endpoints_of(made)["com.amazonaws.eu-central-1.s3"]["PolicyDocument"]["Statement"]


@pytest.mark.parametrize(
    "kind",
    [
        "InternetGateway",
        "EgressOnlyInternetGateway",
        "NatGateway",
        "EIP",
        "Route",
        "TransitGatewayAttachment",
        "VPCGatewayAttachment",
        "VPCPeeringConnection",
        "VPNGateway",
    ],
)
def test_no_way_leads_out_of_the_vpc(either, kind):
    either.compute_template.resource_count_is(f"AWS::EC2::{kind}", 0)


def test_no_node_has_a_public_address(either):
    assert either.compute.only("AWS::EC2::Subnet")["MapPublicIpOnLaunch"] is False
    assert "AssociatePublicIpAddress" not in str(either.compute.template)


def test_the_network_lies_where_it_is_asked_for(changed):
    subnet = changed.compute.only("AWS::EC2::Subnet")
    assert changed.compute.only("AWS::EC2::VPC")["CidrBlock"] == "192.168.8.0/22"
    assert subnet["CidrBlock"] == "192.168.8.0/22"
    assert subnet["AvailabilityZone"] == "eu-central-1b"
    ingress = changed.compute.resources("AWS::EC2::SecurityGroupIngress").values()
    assert {rule["CidrIp"] for rule in ingress if "CidrIp" in rule} == {"192.168.8.0/22"}


def test_emr_and_kms_are_reached_inside_the_vpc(either):
    endpoints = endpoints_of(either)
    assert set(endpoints) == {
        "com.amazonaws.eu-central-1.s3",
        "aws.api.eu-central-1.emr-service-cell01",
        "com.amazonaws.eu-central-1.kms",
    }
    for service in set(endpoints) - {"com.amazonaws.eu-central-1.s3"}:
        assert endpoints[service]["VpcEndpointType"] == "Interface"
        assert endpoints[service]["PrivateDnsEnabled"] is True
        assert endpoints[service]["SecurityGroupIds"] == [ENDPOINTS]


def test_session_manager_has_its_endpoints_where_it_is_asked_for(made, changed):
    added = set(endpoints_of(changed)) - set(endpoints_of(made))
    services = {"ssm", "ssmmessages"}
    assert added == {f"com.amazonaws.eu-central-1.{service}" for service in services}


def test_the_s3_endpoint_is_the_route_of_the_one_subnet(made):
    endpoint = endpoints_of(made)["com.amazonaws.eu-central-1.s3"]
    association = made.compute.only("AWS::EC2::SubnetRouteTableAssociation")
    (subnet,) = made.compute.resources("AWS::EC2::Subnet")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["RouteTableIds"] == [association["RouteTableId"]]
    assert association["SubnetId"] == subnet


def test_the_s3_endpoint_leads_to_named_buckets_only(either):
    statements = s3_statements(either)
    arns = [arn for statement in statements for arn in listed(statement["Resource"])]
    outputs = either.data.outputs()
    own = {outputs[f"{name}BucketName"] for name in ("Raw", "Results", "Logs")}
    assert all(arn.startswith("arn:aws:s3:::") for arn in arns)
    buckets = {arn.removeprefix("arn:aws:s3:::").partition("/")[0] for arn in arns}
    assert buckets == own | {ASSETS_BUCKET} | EMR_READS | EMR_WRITES


def test_the_s3_endpoint_names_each_asset_by_its_object(either):
    arns = [arn for statement in s3_statements(either) for arn in listed(statement["Resource"])]
    keys = [arn.partition("/")[2] for arn in arns if ASSETS_BUCKET in arn]
    # Bootstrap script, wheels, network, package and five scripts.
    assert len(keys) == 9
    assert not any(sign in key for key in keys for sign in "*?")


@pytest.mark.parametrize(
    ("bucket", "allowed"),
    [
        *((bucket, {"s3:GetObject"}) for bucket in sorted(EMR_READS)),
        *((bucket, {"s3:PutObject", "s3:PutObjectAcl"}) for bucket in sorted(EMR_WRITES)),
        ("a-bucket-of-somebody-else", set()),
        (ASSETS_BUCKET, set()),
    ],
)
def test_each_foreign_bucket_is_reached_for_one_thing(made, bucket, allowed):
    actions = (
        "s3:GetObject",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:DeleteObject",
        "s3:ListBucket",
    )
    arn = f"arn:aws:s3:::{bucket}/any/object"
    assert {a for a in actions if allows(s3_statements(made), a, arn, principal="x")} == allowed


def test_the_wildcard_that_aws_documents_is_the_only_one_and_goes_where_rules_are_narrow(
    either, changed
):
    for made_one, wildcards in ((either, {"s3:Put*"}), (changed, set())):
        actions = {a for s in s3_statements(made_one) for a in listed(s["Action"])}
        assert {action for action in actions if "*" in action} == wildcards
    arn = f"arn:aws:s3:::{next(iter(EMR_WRITES))}/any/object"
    assert allows(s3_statements(changed), "s3:PutObject", arn, principal="x")
    assert not allows(s3_statements(changed), "s3:PutObjectAcl", arn, principal="x")


def test_emr_finds_every_rule_that_it_would_add_by_itself(made):
    ingress = made.compute.resources("AWS::EC2::SecurityGroupIngress").values()
    found = {
        (r["GroupId"], r["SourceSecurityGroupId"], r["IpProtocol"], r["FromPort"], r["ToPort"])
        for r in ingress
        if "SourceSecurityGroupId" in r
    }
    ports = [("tcp", 0, 65535), ("udp", 0, 65535), ("icmp", -1, -1)]
    groups = (PRIMARY, WORKERS)
    assert found == {(g, peer, *p) for g, peer, p in product(groups, groups, ports)}
    assert len(ingress) == 12 + 1


def test_no_rule_stands_within_a_group_where_it_would_keep_the_group_from_going(made):
    for group in made.compute.resources("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group
        # What the CDK puts there instead of EC2's rule that allows everything.
        (nothing,) = group["SecurityGroupEgress"]
        assert nothing["CidrIp"] == "255.255.255.255/32"


def test_nobody_outside_the_vpc_gets_in(made):
    ingress = made.compute.resources("AWS::EC2::SecurityGroupIngress").values()
    (from_addresses,) = (rule for rule in ingress if "SourceSecurityGroupId" not in rule)
    assert from_addresses["GroupId"] == ENDPOINTS
    assert from_addresses["CidrIp"] == "10.42.0.0/24"
    assert (from_addresses["FromPort"], from_addresses["ToPort"]) == (443, 443)
    assert not {"0.0.0.0/0", "::/0"} & {str(v) for rule in ingress for v in rule.values()}


@pytest.mark.parametrize(
    ("rules", "ports"), [("documented", DOCUMENTED_PORTS), ("narrow", NARROW_PORTS)]
)
def test_nodes_speak_to_nodes_endpoints_and_s3_only(made, changed, rules, ports):
    made_one = {"documented": made, "narrow": changed}[rules]
    egress = made_one.compute.resources("AWS::EC2::SecurityGroupEgress").values()
    assert not any(key.startswith("Cidr") for rule in egress for key in rule)
    for group in (PRIMARY, WORKERS):
        rules = [rule for rule in egress if rule["GroupId"] == group]
        peers = {rule.get("DestinationSecurityGroupId") for rule in rules}
        assert peers == {PRIMARY, WORKERS, ENDPOINTS, None}
        (to_s3,) = (rule for rule in rules if "DestinationPrefixListId" in rule)
        assert to_s3["DestinationPrefixListId"] == "pl-6ea54007"
        assert (to_s3["FromPort"], to_s3["ToPort"]) == ports
    assert not [rule for rule in egress if rule["GroupId"] == ENDPOINTS]


@pytest.mark.parametrize("kind", ["VPC", "Subnet", "SecurityGroup"])
def test_emr_may_use_what_carries_its_tag(either, kind):
    resources = either.compute.resources(f"AWS::EC2::{kind}")
    assert resources
    assert all(EMR_TAG in properties["Tags"] for properties in resources.values())


def test_the_flows_are_logged_encrypted_and_forgotten_as_logs_are(either, made):
    group = either.compute.only("AWS::Logs::LogGroup")
    key = either.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    days = 30 if either is made else 365
    assert (group["KmsKeyId"], group["RetentionInDays"]) == (key, days)
    flows = either.compute.only("AWS::EC2::FlowLog")
    assert flows["TrafficType"] == "ALL"
    assert [flows["ResourceId"]] == list(either.compute.resources("AWS::EC2::VPC"))
    assert [flows["LogGroupName"]] == list(either.compute.resources("AWS::Logs::LogGroup"))
