"""The services that a cluster reaches through interface endpoints, by the names AWS gives them.

Apart from the network that is made of them, which imports the CDK: a command that only asks for
them answers at once.
"""

from cdk_app.config import REGION

# The control channel of a cluster from EMR 8 on. Left to EMR, it is made outside the stack and
# keeps the network from being destroyed.
EMR_CELL_SERVICE = f"aws.api.{REGION}.emr-service-cell01"
# AWS's list of the addresses of S3, by its name and by its number in this region.
S3_PREFIX_LIST_NAME = f"com.amazonaws.{REGION}.s3"
S3_PREFIX_LIST = "pl-6ea54007"
# Nodes unlock their encrypted disks with the key of the customer.
KMS_SERVICE = f"com.amazonaws.{REGION}.kms"
