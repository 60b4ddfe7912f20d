"""Outcomes in the answer shapes of Database v1.0, as Trove 26.0.0 gives them.

Passwords of users are never among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rolecall.contracts.openstack.databases import parameters
from rolecall.contracts.openstack.databases.rules import ANY_HOST, RESERVED_DATABASES
from rolecall.contracts.openstack.places import database_root, database_url
from rolecall.domain.accounts.views import AccountView, AccountViews
from rolecall.domain.engine import DatabaseFacts
from rolecall.domain.instances.views import InstanceView
from rolecall.values import Checked, Secret
from rolecall.verbs import Answer
from rolecall.verbs.databases.pages import cut_page, page
from rolecall.verbs.databases.tables import DATASTORE, FLAVOR, VOLUME_SIZE, links

_STATUSES: Mapping[str, str] = {
    "running": "ACTIVE",
    "starting": "BUILD",
    "restarting": "REBOOT",
    "isolated": "SHUTDOWN",
    "isolating": "SHUTDOWN",
    "reviving": "REBOOT",
    "deleting": "SHUTDOWN",
    "unreachable": "ERROR",
    "failed": "ERROR",
}
_OPERATING: Mapping[str, str] = {"ACTIVE": "HEALTHY", "BUILD": "NEW", "REBOOT": "RESTARTING"}


def users(checked: Checked[parameters.ListUsers], found: AccountViews) -> Answer:
    """By ``name@host``, which is also a page's marker."""
    return cut_page(checked, "users", found.items, _name_at_host, _user, has_more=found.has_more)


def user(_checked: Checked[object], found: AccountView) -> Answer:
    return {"user": _user(found)}


def grants(_checked: Checked[object], found: AccountView) -> Answer:
    return {"databases": _granted(found)}


def _name_at_host(account: AccountView) -> str:
    return f"{account.name}@{account.host or ANY_HOST}"


def _user(account: AccountView) -> Answer:
    shown: Answer = {"name": account.name, "host": account.host or ANY_HOST, "databases": _granted(account)}
    if account.standing == "failed":
        shown["status"] = "ERROR"
        shown["fault"] = {"message": f"The user could not be created: {account.reason}."}
    return shown


def _granted(account: AccountView) -> list[Answer]:
    return [{"name": name} for name in sorted({grant.database for grant in account.grants})]


def databases(checked: Checked[parameters.ListDatabases], found: Sequence[DatabaseFacts]) -> Answer:
    shown = [database.name for database in found if database.name.lower() not in RESERVED_DATABASES]
    return page(checked, "databases", shown, str, lambda name: {"name": name})


def root_state(_checked: Checked[object], enabled: bool) -> Answer:
    return {"rootEnabled": enabled}


def root(_checked: Checked[object], password: Secret) -> Answer:
    """The one answer with a password: it was made just now and is shown this once."""
    return {"user": {"name": "root", "password": password}}


def instances(checked: Checked[parameters.ListInstances], found: Sequence[InstanceView]) -> Answer:
    return page(checked, "instances", found, _public_id, lambda view: _instance(checked, view))


def instances_in_detail(
    checked: Checked[parameters.ListInstancesDetail], found: Sequence[InstanceView]
) -> Answer:
    return page(checked, "instances", found, _public_id, lambda view: _detail(checked, view))


def instance(checked: Checked[object], found: InstanceView) -> Answer:
    return {"instance": _detail(checked, found)}


def new_instance(checked: Checked[object], found: InstanceView) -> Answer:
    """Said to be building, as every client expects of a new one; the next look tells how it is."""
    return {"instance": {**_detail(checked, found), "status": "BUILD", "operating_status": ""}}


def _public_id(instance: InstanceView) -> str:
    return instance.public_id


def _instance(checked: Checked[object], instance: InstanceView) -> Answer:
    """Flavor and volume are what the tables say: a registered server does not tell how large it is.

    The region is the catalog's, by which clients find the service; the instance's own is that of other dialects.
    """
    status = _STATUSES.get(instance.status, "ERROR")
    request = checked.call.envelope.request
    tenant = database_url(request, checked.caller.owner_number)
    return {
        "id": instance.public_id,
        "name": instance.name,
        "status": status,
        "operating_status": _OPERATING.get(status, "ERROR"),
        "links": links(tenant, database_root(request), f"instances/{instance.public_id}"),
        "flavor": {
            "id": FLAVOR["str_id"],
            "links": links(tenant, database_root(request), f"flavors/{FLAVOR['str_id']}"),
        },
        "datastore": {"type": DATASTORE, "version": instance.version_text or "unknown"},
        "region": checked.call.region,
        "volume": {"size": VOLUME_SIZE},
        "access": {"is_public": False, "allowed_cidrs": []},
        "hostname": instance.host,
        "ip": [instance.host] if instance.host else [],
        "addresses": [{"address": instance.host, "type": "private", "network": ""}] if instance.host else [],
        "replicas": [],
    }


def _detail(checked: Checked[object], instance: InstanceView) -> Answer:
    created = _moment(instance.created_at)
    return {**_instance(checked, instance), "created": created, "updated": created}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
