"""What to do about AWS's commonest refusals, whoever hears them: a command of ours or the CDK."""

from spark_assets.storage.s3_answers import LOG_IN

EXPIRED = f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on"
# Of a command that does things one by one.
EXPIRED_MIDWAY = (
    f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on, "
    "and what is done stays done"
)
THROTTLED = "AWS asks for fewer requests at a time; wait a minute and give the same command"
