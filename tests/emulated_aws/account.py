"""The account that is emulated, and its one region."""

ACCOUNT = "123456789012"
REGION = "eu-central-1"
