"""What the emulator answers beside what the rehearsal sees of it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated_aws.account import REGION


def test_a_release_is_told_with_its_spark(client):
    told = client("emr").describe_release_label(ReleaseLabel="emr-spark-8.1.0")
    assert told["Applications"] == [{"Name": "Spark", "Version": "4.1.1"}]


def test_a_release_that_is_not_there_is_refused(client):
    with pytest.raises(ClientError, match="InvalidRequestException"):
        client("emr").describe_release_label(ReleaseLabel="emr-spark-8.9.0")


@pytest.mark.parametrize("code", ["L-1216C47A", "L-34B43A08"])
def test_the_quotas_of_standard_instances_are_told(client, code):
    quota = client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    assert quota["Value"] == 64


def test_a_quota_that_is_not_there_is_refused(client):
    with pytest.raises(ClientError, match="NoSuchResource"):
        client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")


@pytest.mark.parametrize(
    "name", [f"aws.api.{REGION}.emr-service-cell01", f"com.amazonaws.{REGION}.kms"]
)
def test_the_endpoint_services_of_a_cluster_are_in_every_zone(client, name):
    (service,) = client("ec2").describe_vpc_endpoint_services(ServiceNames=[name])["ServiceDetails"]
    assert service["AvailabilityZones"] == [f"{REGION}{zone}" for zone in "abc"]


def test_a_bucket_of_a_template_keeps_versions_where_it_asks_for_it(client):
    properties = {"VersioningConfiguration": {"Status": "Enabled"}}
    resources = {
        "Kept": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "kept", **properties}},
        "Plain": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "plain"}},
    }
    client("cloudformation").create_stack(StackName="b", TemplateBody=_json(resources))
    s3 = client("s3")
    assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    assert "Status" not in s3.get_bucket_versioning(Bucket="plain")


def test_a_folder_in_which_all_is_deleted_is_listed_no_more(client):
    s3 = client("s3")
    s3.create_bucket(Bucket="folders", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="folders", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a/1", "a/2", "b/1"):
        s3.put_object(Bucket="folders", Key=key, Body=b"")
    s3.delete_object(Bucket="folders", Key="b/1")
    listed = s3.list_objects_v2(Bucket="folders", Delimiter="/")["CommonPrefixes"]
    assert listed == [{"Prefix": "a/"}]


def test_a_group_that_a_rule_of_another_names_is_not_deleted_with_its_stack(client):
    group = {"GroupDescription": "a group", "VpcId": {"Ref": "Vpc"}}
    template = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/24"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
    }
    cloudformation, ec2 = client("cloudformation"), client("ec2")
    cloudformation.create_stack(StackName="network", TemplateBody=_json(template))
    groups = ec2.describe_security_groups()["SecurityGroups"]
    (made,) = [each for each in groups if each["Description"] == "a group"]
    # As EMR adds rules to groups that lack some.
    added = ec2.create_security_group(
        GroupName="added", Description="by others", VpcId=made["VpcId"]
    )
    rule = {
        "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1,
        "UserIdGroupPairs": [{"GroupId": made["GroupId"]}],
    }  # fmt: skip
    ec2.authorize_security_group_ingress(GroupId=added["GroupId"], IpPermissions=[rule])

    cloudformation.delete_stack(StackName="network")
    assert _status(cloudformation) == "DELETE_FAILED"
    ec2.delete_security_group(GroupId=added["GroupId"])
    cloudformation.delete_stack(StackName="network")
    with pytest.raises(ClientError, match="does not exist"):
        _status(cloudformation)


def _status(cloudformation: Any) -> str:
    return cloudformation.describe_stacks(StackName="network")["Stacks"][0]["StackStatus"]


def _json(resources: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources})
