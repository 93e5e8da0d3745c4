"""Rules that EMR adds to the security groups of the stack go before the stack does."""

import boto3
import pytest
from botocore.exceptions import ClientError

from cdk_app.config import REGION
from operations.aws import foreign_rules
from tests.moto_server import make_stack

STACK = "fruits-test-compute"


def group(name):
    properties = {"GroupDescription": name, "VpcId": {"Ref": "Vpc"}}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def rule(group, peer, protocol="tcp", ports=(0, 65535)):
    return {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Fn::GetAtt": [group, "GroupId"]},
            "SourceSecurityGroupId": {"Fn::GetAtt": [peer, "GroupId"]},
            "IpProtocol": protocol,
            "FromPort": ports[0],
            "ToPort": ports[1],
        },
    }


RESOURCES = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/24"}},
    "Primary": group("primary"),
    "Workers": group("workers"),
    "WorkersFromPrimary": rule("Workers", "Primary"),
    "WorkersFromPrimaryIcmp": rule("Workers", "Primary", "icmp", (-1, -1)),
}


@pytest.fixture
def ec2(emulated_aws, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return boto3.client("ec2", region_name=REGION)


@pytest.fixture
def groups(ec2):
    """Return the ids of the groups of a stack, by their name."""
    outputs = {name: {"Fn::GetAtt": [name, "GroupId"]} for name in ("Primary", "Workers")}
    make_stack("fruits-test-compute", RESOURCES, outputs)
    client = boto3.client("cloudformation", region_name=REGION)
    stack = client.describe_stacks(StackName="fruits-test-compute")["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def rules_of(ec2, groups):
    told = ec2.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": list(groups.values())}]
    )
    return {each["SecurityGroupRuleId"] for each in told["SecurityGroupRules"]}


def add(ec2, groups, *, egress=False):
    """Add a rule about a group and one about addresses; return the ids of both."""
    pair = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
    about = (
        {"UserIdGroupPairs": [{"GroupId": groups["Workers"]}]},
        {"IpRanges": [{"CidrIp": "10.0.0.0/24"}]},
    )
    direction = "egress" if egress else "ingress"
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    return [
        authorize(GroupId=groups["Primary"], IpPermissions=[{**pair, **each}])[
            "SecurityGroupRules"
        ][0]["SecurityGroupRuleId"]
        for each in about
    ]


def test_what_the_template_holds_stays(ec2, groups, capsys):
    before = rules_of(ec2, groups)
    foreign_rules.revoke_foreign_rules(STACK)
    assert rules_of(ec2, groups) == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("egress", [False, True])
def test_a_rule_about_a_group_that_the_template_does_not_hold_goes(ec2, groups, egress, capsys):
    before = rules_of(ec2, groups)
    _, about_addresses = add(ec2, groups, egress=egress)
    foreign_rules.revoke_foreign_rules(STACK)
    assert rules_of(ec2, groups) == before | {about_addresses}
    assert capsys.readouterr().err == (
        "revoked 1 rule that EMR added to the security groups of the stack\n"
    )


def test_without_a_stack_there_is_nothing_to_revoke(ec2, capsys):
    foreign_rules.revoke_foreign_rules(STACK)
    assert capsys.readouterr() == ("", "")


def test_a_right_that_is_missing_does_not_keep_the_stack_from_being_deleted(monkeypatch, capsys):
    def deny(_):
        answer = {"Error": {"Code": "UnauthorizedOperation", "Message": "x"}}
        raise ClientError(answer, "DescribeSecurityGroupRules")

    monkeypatch.setattr(foreign_rules, "_revoke_in", deny)
    foreign_rules.revoke_foreign_rules(STACK)
    told = capsys.readouterr().err
    assert "were not revoked: AWS denies you DescribeSecurityGroupRules; ask for that right" in told
