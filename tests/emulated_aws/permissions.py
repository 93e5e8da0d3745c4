"""Which requests the emulator holds against policies: those of the project's roles, not people's.

A node is held against its role in all it asks for, and whoever has taken on the role of an erasure
in what is asked of S3: of other services moto knows actions and no resources.

moto checks everybody or nobody, and knows few conditions: the roles of the CDK, which have many,
could do nothing.  AWS checks everybody.
"""

import json
from collections.abc import Iterator
from typing import Any

import moto.settings
import xmltodict
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import S3IAMRequest
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from tests.emulated_aws.account import ACCOUNT

_check_of_moto = ActionAuthenticatorMixin._authenticate_and_authorize_action


def add() -> None:
    """Put the checks into moto."""
    moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin._authenticate_and_authorize_action = _check


def _check(self: Any, iam_request_cls: type, resource: str = "*") -> None:
    role = _role_of(self.headers.get("Authorization", ""))
    if role is None or not (_is_node(role) or _is_eraser(role, iam_request_cls)):
        return
    if not hasattr(self, "is_delete_keys") or not self.is_delete_keys():
        _check_of_moto(self, iam_request_cls, resource)
        return
    # moto holds a request that deletes many objects against the bucket, AWS against each object.
    # AWS deletes those that may be deleted; here one that may not keeps all.
    for action, each in _objects_to_delete(self.body, resource):
        self.data["Action"] = action
        _check_of_moto(self, iam_request_cls, each)


def _role_of(authorization: str) -> Any:
    """Return the role with whose credentials a request is signed, or None."""
    access_key = authorization.partition("Credential=")[2].partition("/")[0]
    for session in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if session.access_key_id == access_key:
            return iam_backends[ACCOUNT]["aws"].get_role_by_arn(session.role_arn)
    return None


def _is_node(role: Any) -> bool:
    """Tell whether EC2 gives a role to instances."""
    return "ec2.amazonaws.com" in json.dumps(role.assume_role_policy_document)


def _is_eraser(role: Any, iam_request_cls: type) -> bool:
    return "ErasureRole" in role.name and issubclass(iam_request_cls, S3IAMRequest)


def _objects_to_delete(body: bytes, bucket: str) -> Iterator[tuple[str, str]]:
    """Yield for each object what S3 asks for: the right to delete it, or a version of it."""
    given = xmltodict.parse(body, force_list=("Object",), strip_whitespace=False)
    for each in given["Delete"]["Object"]:
        action = "DeleteObjectVersion" if "VersionId" in each else "DeleteObject"
        yield action, f"{bucket}/{each['Key']}"
