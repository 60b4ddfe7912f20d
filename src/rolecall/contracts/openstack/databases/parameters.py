"""The parameters of Database v1.0, a class for each action: of the body, of the query and of the path.

Sources: as of the contract.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.model import between, one_of
from rolecall.contracts.openstack.databases import rules
from rolecall.contracts.parameters import Most, Params
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

TROVE = "Trove 26.0.0, trove/common/apischema.py"
INSTANCE_ACTIONS = (
    "restart", "resize", "reset_status", "promote_to_replica_source", "eject_replica_source",
)  # fmt: skip
_AT_MOST = 1000  # ours: users or databases in one request


class OnInstance(Params):
    instance_id: str


class OnUser(OnInstance):
    name: Annotated[str, rules.EXISTING_USER]
    host: Annotated[str, rules.EXISTING_HOST] = rules.ANY_HOST


class Paged(Params):
    limit: Annotated[int, between(0, 2**31, Reason.PARAMETER_RANGE, TROVE)] = 0
    marker: str | None = None


class ListVersions(Params):
    pass


class ShowVersion(Params):
    pass


class Granted(Params, shape="database"):
    name: Annotated[str, rules.DATABASE_NAME]


class NewUser(Params, shape="user"):
    name: Annotated[str, rules.NEW_USER_NAME]
    password: Annotated[Secret, rules.PASSWORD]
    host: Annotated[str, rules.HOST] = rules.ANY_HOST
    databases: Annotated[list[Granted], Most(_AT_MOST)] | None = None
    # One database in short. Trove ignores it; the page's own examples grant by it.
    database: Annotated[str, rules.DATABASE_NAME] | None = None


class CreateUsers(OnInstance):
    users: Annotated[list[NewUser], Most(_AT_MOST)]


class ListUsers(Paged, OnInstance):
    pass


class ShowUser(OnUser):
    decoded_again: str | None = None
    """The user in the path if it was encoded twice (guide: dots): read where there is no user of the other name."""


class ChangedUser(Params, shape="user"):
    name: Annotated[str, rules.USER_NAME]
    password: Annotated[Secret, rules.PASSWORD]
    host: Annotated[str, rules.EXISTING_HOST] = rules.ANY_HOST


class ChangePasswords(OnInstance):
    users: Annotated[list[ChangedUser], Most(_AT_MOST)]


class UserAttributes(Params, shape="user"):
    name: Annotated[str, rules.NEW_USER_NAME] | None = None
    password: Annotated[Secret, rules.PASSWORD] | None = None
    host: Annotated[str, rules.HOST] | None = None


class UpdateUser(OnUser):
    user: UserAttributes


class DeleteUser(OnUser):
    pass


class ListGrants(ShowUser):
    pass


class GrantDatabases(OnUser):
    databases: Annotated[list[Granted], Most(_AT_MOST)]


class RevokeDatabase(OnUser):
    database: Annotated[str, rules.EXISTING_DATABASE]


class ListDatabases(Paged, OnInstance):
    pass


class NewDatabase(Params, shape="database"):
    name: Annotated[str, rules.DATABASE_NAME]
    character_set: Annotated[str, rules.CHARACTER_SET] | None = None
    collate: Annotated[str, rules.COLLATION] | None = None


class CreateDatabases(OnInstance):
    databases: Annotated[list[NewDatabase], Most(_AT_MOST)]


class ShowDatabase(OnInstance):
    database: str


class DeleteDatabase(OnInstance):
    database: Annotated[str, rules.EXISTING_DATABASE]


class ShowRoot(OnInstance):
    pass


class EnableRoot(OnInstance):
    password: Annotated[Secret, rules.PASSWORD] | None = None


class DisableRoot(OnInstance):
    pass


class ListInstances(Paged):
    pass


class ListInstancesDetail(Paged):
    pass


class ShowInstance(OnInstance):
    pass


class Datastore(Params, shape="datastore"):
    type: str | None = None
    version: str | None = None


class RestorePoint(Params, shape="restorePoint"):
    backupRef: str | None = None


class NewInstance(Params, shape="instance"):
    name: Annotated[str, rules.INSTANCE_NAME]
    datastore: Datastore | None = None
    databases: Annotated[list[NewDatabase], Most(_AT_MOST)] | None = None
    users: Annotated[list[NewUser], Most(_AT_MOST)] | None = None
    # These ask for something else than a new server: refused, not ignored.
    replica_of: str | None = None
    slave_of: str | None = None
    configuration: str | None = None
    restorePoint: RestorePoint | None = None


class CreateInstance(Params):
    instance: NewInstance


class InstanceAttributes(Params, shape="instance"):
    name: Annotated[str, rules.INSTANCE_NAME] | None = None


class UpdateInstance(OnInstance):
    instance: InstanceAttributes


class DeleteInstance(OnInstance):
    pass


class ActOnInstance(OnInstance):
    action: Annotated[str, one_of(INSTANCE_ACTIONS, Reason.PARAMETER_VALUE, TROVE)]


class ListFlavors(Params):
    pass


class ShowFlavor(Params):
    flavor: str


class ListDatastores(Params):
    pass


class ShowDatastore(Params):
    datastore: str


class ListDatastoreVersions(Params):
    datastore: str


class ShowDatastoreVersion(Params):
    datastore: str
    version: str


class ListLimits(Params):
    pass
