"""What policies allow together: each of them can refuse, and a Deny goes before all."""

from dataclasses import replace

import pytest

from tests.emulated_aws.account import ACCOUNT
from tests.emulated_aws.judging import Policies, refused
from tests.emulated_aws.s3_permissions import Access

ROLE = f"arn:aws:iam::{ACCOUNT}:role/node"
BUCKET, KEY = "arn:aws:s3:::b", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
READ = Access("s3:GetObject", f"{BUCKET}/a/1")
LIST = Access("s3:ListBucket", BUCKET, {"s3:prefix": "a/1"})
DECRYPT = Access("kms:Decrypt", KEY, {"kms:ViaService": "s3.eu-central-1.amazonaws.com"})
ALL = [READ, LIST, DECRYPT]


def statement(action, resource, *, effect="Allow", **rest):
    return {"Effect": effect, "Action": action, "Resource": resource, **rest}


IN_S3 = [
    statement("s3:GetObject", f"{BUCKET}/a/*"),
    statement("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": "a/*"}}),
]
ONLY_TLS = statement(
    "s3:*", f"{BUCKET}/*", effect="Deny", Principal={"AWS": "*"},
    Condition={"Bool": {"aws:SecureTransport": "false"}},
)  # fmt: skip
POLICIES = Policies(
    principal=ROLE,
    role=[*IN_S3, statement("kms:Decrypt", KEY)],
    endpoint=[{**each, "Principal": {"AWS": "*"}} for each in IN_S3],
    of_buckets={BUCKET: [ONLY_TLS]},
    of_keys={KEY: [statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})]},
)


def test_what_all_policies_allow_is_allowed():
    assert refused(ALL, POLICIES) is None


def test_what_the_role_lacks_is_refused():
    for each in ALL:
        without = [s for s in POLICIES.role if s["Action"] != each.action]
        assert refused(ALL, replace(POLICIES, role=without)) == each


def test_what_the_endpoint_does_not_let_through_is_refused():
    for each in (READ, LIST):
        without = [s for s in POLICIES.endpoint if s["Action"] != each.action]
        assert refused(ALL, replace(POLICIES, endpoint=without)) == each
    assert refused(ALL, replace(POLICIES, endpoint=[])) == READ


def test_a_role_that_comes_through_no_endpoint_needs_none():
    assert refused(ALL, replace(POLICIES, endpoint=None)) is None


def test_the_prefix_of_a_listing_is_image_name():
    for prefix in ("", "b/", "ab"):
        listing = Access("s3:ListBucket", BUCKET, {"s3:prefix": prefix})
        assert refused([listing], POLICIES) == listing


@pytest.mark.parametrize("principal", [{"AWS": "*"}, {"AWS": ROLE}, "*"])
def test_a_deny_of_the_bucket_goes_before_what_allows(principal):
    deny = {**ONLY_TLS, "Principal": principal, "Condition": {}}
    assert refused(ALL, replace(POLICIES, of_buckets={BUCKET: [deny]})) == READ


def test_a_request_without_tls_is_refused_by_the_bucket():
    assert refused([READ], POLICIES, is_encrypted=False) == READ
    assert refused([READ], replace(POLICIES, of_buckets={}), is_encrypted=False) is None


def test_a_bucket_may_allow_what_the_role_leaves_open():
    allowed = {BUCKET: [statement("s3:GetObject", f"{BUCKET}/*", Principal={"AWS": ROLE})]}
    open_ = replace(POLICIES, role=[], of_buckets=allowed)
    assert refused([READ], open_) is None
    assert refused([READ], replace(open_, principal=f"{ROLE}-2")) == READ


def test_a_key_that_leaves_nothing_to_roles_refuses_them():
    assert refused(ALL, replace(POLICIES, of_keys={KEY: []})) == DECRYPT


def test_a_key_may_allow_a_role_by_itself():
    by_itself = {KEY: [statement("kms:Decrypt", "*", Principal={"AWS": ROLE})]}
    assert refused(ALL, replace(POLICIES, role=IN_S3, of_keys=by_itself)) is None


def test_a_key_may_ask_through_which_service_it_is_used():
    (allow,) = POLICIES.of_keys[KEY]
    for service, answer in (("s3", None), ("ec2", DECRYPT)):
        only = {"StringEquals": {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}}
        keys = {KEY: [{**allow, "Condition": only}]}
        assert refused(ALL, replace(POLICIES, of_keys=keys)) == answer
