"""Which requests the emulator holds against policies: those of the project's roles, not people's.

In S3 a node, a job and an eraser are held against all policies that AWS holds them against, as they
were deployed: those of the role, of the VPC's endpoint to S3 (a node's alone), of the bucket, and
of the key that encrypts the bucket.  In other services it is the policies of the role.

moto checks everybody or nobody, and knows few conditions: the roles of the CDK, which have many,
could do nothing.  AWS checks everybody.

All that is held against policies is recorded, and told under ``RECORD_PATH``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlparse

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError
from moto.ec2.models import ec2_backends
from moto.iam.access_control import IAMRequest, PermissionResult, S3IAMRequest
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal import urls
from moto.s3.exceptions import BadRequest, BucketAccessDeniedError
from moto.s3.models import FakeBucket, FakeDeleteMarker, s3_backends
from moto.sts.models import sts_backends

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.api_permissions import api_accesses
from tests.emulated_aws.judging import Policies, refused
from tests.emulated_aws.s3_permissions import Access, S3Request, key_accesses, s3_accesses
from tests.infrastructure.policies import Statement, listed

RECORD_PATH = "/moto-api/judged"
# A request with this header is one that came without TLS.  What comes over loopback is taken for
# what it would be on AWS, where the SDKs speak TLS.
UNENCRYPTED = ("Forwarded", "proto=http")
_KINDS = {
    "ec2.amazonaws.com": "node",
    "emr-serverless.amazonaws.com": "job",
}
_ERASER = "eraser"
_policies: dict[str, Policies] = {}
_requests: dict[str, dict[str, Any]] = {}


def add() -> None:
    """Put the checks into moto."""
    ActionAuthenticatorMixin._authenticate_and_authorize_s3_action = _check_s3
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = _check_other
    # moto holds some requests against the policies of buckets, without their conditions.
    FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL
    urls.url_paths[f"{{0}}{RECORD_PATH}"] = _tell_record


def _check_s3(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
    role = _role_of(self.headers.get("Authorization", ""))
    if role is None or (kind := _kind_of(role)) is None:
        return
    _signed(self, S3IAMRequest).check_signature()
    request = S3Request(
        method=self.method,
        bucket=bucket_name or "*",
        key=key_name or "",
        query=dict(parse_qsl(urlparse(self.uri).query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in self.headers.items()},
        body=self.body,
    )
    try:
        accesses = _accesses(request)
    except LookupError as error:  # no failure of the server, which clients try again for minutes
        raise BadRequest(str(error)) from error
    is_encrypted = self.headers.get(UNENCRYPTED[0]) != UNENCRYPTED[1]
    # S3 deletes those of many that may be deleted; here one that may not keeps all.
    if _is_refused(self, kind, role, accesses, is_encrypted=is_encrypted):
        raise BucketAccessDeniedError(bucket=request.bucket)


def _accesses(request: S3Request) -> list[Access]:
    buckets = s3_backends[ACCOUNT]["aws"].buckets
    is_missing = not _is_there(buckets.get(request.bucket), request.key)
    accesses = s3_accesses(request, is_missing=is_missing)
    if not (is_missing and request.method in ("GET", "HEAD")):
        accesses += key_accesses(request, _keys(buckets))
    return accesses


def _check_other(self: Any, resource: str = "*") -> None:
    role = _role_of(self.headers.get("Authorization", ""))
    if role is None or (kind := _kind_of(role)) is None:
        return
    signed = _signed(self, IAMRequest)
    signed.check_signature()
    if signed._action == "sts:GetCallerIdentity":  # IAM refuses it to nobody
        return
    if _is_refused(self, kind, role, api_accesses(signed._action, self._get_param)):
        raise AccessDeniedError(user_arn=role.arn, action=signed._action)


def _signed(self: Any, of_service: type) -> Any:
    query = urlparse(self.uri).query
    return of_service(
        account_id=self.current_account,
        method=self.method,
        path=f"{self.raw_path}?{query}" if query else self.raw_path,
        # moto would take the parameters of a request without a body for its body.
        data={} if of_service is IAMRequest and self.method == "GET" else self.data,
        body=self.raw_body,
        headers=self.headers,
        action=self._get_action(),
    )


def _is_refused(
    self: Any, kind: str, role: Any, accesses: Sequence[Access], *, is_encrypted: bool = True
) -> bool:
    policies = _policies[kind] = _policies_of(kind, role)
    answer = refused(accesses, policies, is_encrypted=is_encrypted)
    request = {
        "kind": kind,
        "client": self.headers.get("User-Agent", "").partition("/")[0].partition(" ")[0],
        "accesses": [asdict(access) for access in accesses],
        "is_refused": answer is not None,
    }
    if is_encrypted:
        _requests.setdefault(json.dumps(request, sort_keys=True), request)
    return answer is not None


def _role_of(authorization: str) -> Any:
    """Return the role with whose credentials a request is signed, or None."""
    access_key = authorization.partition("Credential=")[2].partition("/")[0]
    for session in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if session.access_key_id == access_key:
            return iam_backends[ACCOUNT]["aws"].get_role_by_arn(session.role_arn)
    return None


def _kind_of(role: Any) -> str | None:
    """Return what a role of the project is for; None for a role that is not looked at."""
    trust = json.dumps(role.assume_role_policy_document)
    if "ErasureRole" in role.name:
        return _ERASER
    return next((kind for service, kind in _KINDS.items() if service in trust), None)


def _policies_of(kind: str, role: Any) -> Policies:
    buckets = s3_backends[ACCOUNT]["aws"].buckets
    keys = kms_backends[ACCOUNT][REGION].keys.values()
    return Policies(
        principal=role.arn,
        role=[each for text in role.policies.values() for each in _statements(text)],
        endpoint=_endpoint() if kind == "node" else None,
        of_buckets={
            f"arn:aws:s3:::{name}": _statements(bucket.policy)
            for name, bucket in buckets.items()
            if bucket.policy
        },
        of_keys={key.arn: _statements(key.policy) for key in keys},
    )


def _endpoint() -> Sequence[Statement]:
    """Return the policy of the only way out of the VPC to S3; without an endpoint there is none."""
    endpoints = ec2_backends[ACCOUNT][REGION].vpc_end_points.values()
    return [
        statement
        for endpoint in endpoints
        if endpoint.service_name == f"com.amazonaws.{REGION}.s3"
        for statement in _statements(endpoint.policy_document)
    ]


def _statements(policy: Any) -> Sequence[Statement]:
    text = policy if isinstance(policy, str | bytes) else json.dumps(policy)
    return _parsed(text)


@cache
def _parsed(text: str | bytes) -> Sequence[Statement]:
    return listed(json.loads(text)["Statement"])


def _keys(buckets: Mapping[str, Any]) -> dict[str, str]:
    """Return the ARN of the key of each bucket that encrypts with one of the account."""
    return {name: key for name, bucket in buckets.items() if (key := _key(bucket)) is not None}


def _key(bucket: Any) -> str | None:
    if not bucket.encryption:
        return None
    key: str | None = bucket.encryption["Rule"]["ApplyServerSideEncryptionByDefault"].get(
        "KMSMasterKeyID"
    )
    return key


def _is_there(bucket: Any, key: str) -> bool:
    if bucket is None or (found := bucket.keys.get(key)) is None:
        return False
    return not isinstance(found, FakeDeleteMarker)


def _tell_record(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    policies = {kind: asdict(each) for kind, each in _policies.items()}
    return 200, {}, json.dumps({"policies": policies, "requests": list(_requests.values())})
