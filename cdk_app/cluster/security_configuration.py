"""How a cluster is encrypted, on its disks and between its nodes."""

from typing import Any

from aws_cdk import aws_emr as emr
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig


def add_security_configuration(
    scope: Construct, construct_id: str, *, config: PipelineConfig, key: kms.IKey
) -> emr.CfnSecurityConfiguration:
    """Add EMR's security configuration to a construct, with the key for all that is encrypted."""
    settings = security_configuration(key, in_transit=config.in_transit_certificates)
    added = emr.CfnSecurityConfiguration(scope, construct_id, security_configuration=settings)
    for rule in ("AwsSolutions::AwsSolutions-EMR4", "AwsSolutions::AwsSolutions-EMR5"):
        acknowledge(
            scope,
            rule,
            reason="a false finding: the rule looks for the keys above EncryptionConfiguration,"
            " where EMR does not read them; a test asserts what EMR reads. Encryption between nodes"
            " is left out for first runs on sample photographs only, where a setting asks for it",
        )
    return added


def security_configuration(key: kms.IKey, *, in_transit: bool) -> dict[str, Any]:
    """Return EMR's security configuration: all encrypted, and IMDSv2 without a hop.

    ``in_transit`` False leaves out the encryption between nodes and keeps that of disks and S3.
    """
    # Certificates that EMR makes itself: a private key of ours would lie in an asset.
    certificates = {
        "InTransitEncryptionConfiguration": {
            "TLSCertificateConfiguration": {
                "CertificateProviderType": "EMR",
                "AwsKmsKey": key.key_arn,
            }
        }
    }
    return {
        "EncryptionConfiguration": {
            "EnableAtRestEncryption": True,
            "EnableInTransitEncryption": in_transit,
            "AtRestEncryptionConfiguration": {
                "S3EncryptionConfiguration": {
                    "EncryptionMode": "SSE-KMS",
                    "AwsKmsKey": key.key_arn,
                },
                "LocalDiskEncryptionConfiguration": {
                    "EnableEbsEncryption": True,
                    "EncryptionKeyProviderType": "AwsKms",
                    "AwsKmsKey": key.key_arn,
                },
            },
            **(certificates if in_transit else {}),
        },
        "InstanceMetadataServiceConfiguration": {
            "MinimumInstanceMetadataServiceVersion": 2,
            "HttpPutResponseHopLimit": 1,
        },
    }
