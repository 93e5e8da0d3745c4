"""Checks of an AWS account before a deployment: `account_reader` reads, the checks are pure."""
