"""What to do about AWS's commonest refusals, whoever hears them: a command of ours or the CDK."""

LOG_IN = "log in again ('aws sso login', or the way you did before) and give the same command"
EXPIRED = f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on"
# Of a command that does things one by one.
EXPIRED_MIDWAY = (
    f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on, "
    "and what is done stays done"
)
NOT_VALID = "AWS does not know these credentials; check AWS_PROFILE and the access key"
THROTTLED = "AWS asks for fewer requests at a time; wait a minute and give the same command"
CLOCK = "the clock of this machine is wrong, and AWS refuses what it signs; set the clock"
