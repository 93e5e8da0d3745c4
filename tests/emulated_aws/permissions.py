"""Which requests the emulator holds against policies: those of nodes, and of nobody else.

moto checks everybody or nobody, and knows few conditions: the roles of the CDK, which have many,
could do nothing.  AWS checks everybody.
"""

import json
from typing import Any

import moto.settings
import xmltodict
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from tests.emulated_aws.account import ACCOUNT

_check_of_moto = ActionAuthenticatorMixin._authenticate_and_authorize_action


def add() -> None:
    """Put the checks into moto."""
    moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin._authenticate_and_authorize_action = _check


def _check(self: Any, iam_request_cls: type, resource: str = "*") -> None:
    if not _is_node(self.headers.get("Authorization", "")):
        return
    # moto holds a request that deletes many objects against the bucket, AWS against each object.
    # AWS deletes those that may be deleted; here one that may not keeps all.
    for checked in _objects_to_delete(self, resource) or [resource]:
        _check_of_moto(self, iam_request_cls, checked)


def _is_node(authorization: str) -> bool:
    """Tell whether a request is signed with credentials of a role that EC2 gives to instances."""
    access_key = authorization.partition("Credential=")[2].partition("/")[0]
    for session in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if session.access_key_id == access_key:
            role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(session.role_arn)
            return "ec2.amazonaws.com" in json.dumps(role.assume_role_policy_document)
    return False


def _objects_to_delete(self: Any, bucket: str) -> list[str]:
    if not hasattr(self, "is_delete_keys") or not self.is_delete_keys():
        return []
    given = xmltodict.parse(self.body, force_list=("Object",), strip_whitespace=False)
    return [f"{bucket}/{each['Key']}" for each in given["Delete"]["Object"]]
