"""An AWS account on this machine: ``python -m tests.emulated_aws.server -H 127.0.0.1 -p 0``.

Real are the requests, as boto3, the CDK and Hadoop send them, and the signatures of a node.

Emulated, by moto as it is: S3, KMS, IAM, STS, SSM, SNS, EventBridge, CloudWatch and its logs, EC2
without instances, and CloudFormation, with what templates name of all these.

Added here, because moto lacks it or does otherwise than AWS:

- `emr`, `clusters`: clusters of fleets that somebody else starts, steps that somebody else runs,
  and what a release holds;
- `serverless`: applications of templates, job runs that somebody else runs, and executions that
  somebody else interprets;
- `cloudformation`: a stack is complete when its cluster is up, and has failed when that has;
- `resources`: rules out of security groups, alarms, budgets and policies of buckets, which moto
  passes over;
- `buckets`: versions in those whose template asks for it, and no folders of what is deleted;
- `deletion`: what uses others goes first, nothing is tried twice, nothing stays or comes back;
- `permissions`: nodes, jobs and whoever erases are held against the policies of their role, of
  endpoint, bucket and key, with their conditions; nobody else;
- `lookups`: quotas of EC2 and EMR Serverless, the plan of the account, EMR's types and endpoint
  service, and the number of the prefix list of S3.

Not emulated at all: any network; policies of topics and of interface endpoints; the policies of
whoever deploys; what services do by themselves, such as ending an idle cluster.
"""

import sys

from moto.server import main

from tests.emulated_aws import (
    buckets,
    cloudformation,
    deletion,
    emr,
    lookups,
    permissions,
    resources,
    serverless,
)

if __name__ == "__main__":
    for addition in (
        emr,
        serverless,
        cloudformation,
        resources,
        buckets,
        deletion,
        permissions,
        lookups,
    ):
        addition.add()
    main(sys.argv[1:])
