"""Outcomes in the answer shapes of `postgres` 2017-03-12.

Every key of a structure is always there and has the JSON type of the vendor's Go SDK, which refuses a whole answer
for one string where it expects a number; the vendor's Terraform provider dereferences ``ProjectId`` unseen.
Times are ``YYYY-MM-DD hh:mm:ss`` in UTC+8, with zeros for a moment that never was.
Source: tencentcloud-sdk-python-postgres 3.1.194, models.py, and the examples of tccli 3.1.189.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from rolecall.contracts.tencent.postgres import parameters
from rolecall.contracts.tencent.postgres.places import CHINESE_NUMERALS, PLACES, Place
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import AccountKind, DatabaseFacts
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import Page
from rolecall.values import Checked, Language
from rolecall.verbs import Answer
from rolecall.verbs.postgres.privileges import TYPES, echoed_object

_NEVER = "0000-00-00 00:00:00"
_VENDOR_ZONE = timezone(timedelta(hours=8))
_NORMAL, _LOCKED = 2, 5  # AccountInfo.Status
_SUPER_ROLES = {AccountKind.NORMAL: [], AccountKind.SUPER: ["pg_tencentdb_superuser"]}
_DEFAULT_INSTANCES = 10
_STATUSES: Mapping[str, str] = {
    "running": "running",
    "isolated": "isolated",
    "restarting": "restarting",
    "unreachable": "limited run",
    "starting": "initing",
    "isolating": "isolating",
    "reviving": "disisolating",
    "deleting": "offlining",
    "failed": "limited run",
}


def vendor_time(moment: datetime | None) -> str:
    return _NEVER if moment is None else moment.astimezone(_VENDOR_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def account_created(_checked: Checked[object], account: AccountView) -> Answer:
    """`Oid` is promised by the page's prose and in no SDK's model; typed SDKs ignore it."""
    return {"Oid": account.oid}


def accounts(checked: Checked[parameters.DescribeAccounts], page: Page[AccountView]) -> Answer:
    instance = checked.params.DBInstanceId
    return {"TotalCount": page.total, "Details": [account_entry(instance, account) for account in page.items]}


def account_entry(instance: str, account: AccountView) -> Answer:
    return {
        "DBInstanceId": instance,
        "UserName": account.name,
        "Remark": account.remark,
        "Status": _LOCKED if account.locked else _NORMAL,
        "CreateTime": vendor_time(account.created_at),
        "UpdateTime": vendor_time(account.updated_at),
        "PasswordUpdateTime": vendor_time(account.password_updated_at),
        "UserType": TYPES[account.kind],
        "OpenCam": account.managed_password,
        "PGRoles": list(_SUPER_ROLES[account.kind]),
    }


def privileges(
    checked: Checked[parameters.DescribeAccountPrivileges], found: Sequence[tuple[str, ...] | AccountKind]
) -> Answer:
    """One entry per object asked, in order; the account itself is answered by its type."""
    asked = checked.params.DatabaseObjectSet
    return {
        "PrivilegeSet": [
            {"Object": echoed_object(entry), "PrivilegeSet": _words(one)}
            for entry, one in zip(asked, found, strict=True)
        ]
    }


def _words(found: tuple[str, ...] | AccountKind) -> list[str]:
    return [TYPES[found]] if isinstance(found, AccountKind) else list(found)


def databases(_checked: Checked[object], page: Page[DatabaseFacts]) -> Answer:
    return {
        "Items": [database.name for database in page.items],
        "TotalCount": page.total,
        "Databases": [_database(database) for database in page.items],
    }


def _database(database: DatabaseFacts) -> Answer:
    return {
        "DatabaseName": database.name,
        "DatabaseOwner": database.owner,
        "Encoding": database.encoding,
        "Collate": database.collate,
        "Ctype": database.ctype,
        "AllowConn": database.allows_connections,
        "ConnLimit": database.connection_limit,
        "Privileges": database.acl,
    }


def objects(_checked: Checked[object], page: Page[str]) -> Answer:
    return {"ObjectSet": list(page.items), "TotalCount": page.total}


def instances(checked: Checked[parameters.DescribeDBInstances], found: Sequence[InstanceView]) -> Answer:
    """Those of the call's region that every filter lets pass, ordered and paged."""
    filters = checked.params.Filters or ()
    wanted = [
        view
        for view in found
        if view.region == checked.call.region and all(_passes(view, each) for each in filters)
    ]
    descending = checked.params.OrderByType == "desc"
    wanted.sort(key=_INSTANCE_ORDERS[checked.params.OrderBy], reverse=descending)
    offset, limit = checked.params.Offset, checked.params.Limit or _DEFAULT_INSTANCES
    return {
        "TotalCount": len(wanted),
        "DBInstanceSet": [_instance(view) for view in wanted[offset : offset + limit]],
    }


def instance(_checked: Checked[object], found: InstanceView) -> Answer:
    return {"DBInstance": _instance(found)}


def _passes(instance: InstanceView, filter_: parameters.InstanceFilter) -> bool:
    """A filter without values lets everything pass; several values are joined by OR."""
    values = filter_.Values
    matches = _INSTANCE_FILTERS[filter_.Name or ""]
    return not values or any(matches(instance, value) for value in values)


# There are no tags, no public addresses and no dedicated clusters here, so nothing matches those.
_INSTANCE_FILTERS: Mapping[str, Callable[[InstanceView, str], bool]] = {
    "db-instance-id": lambda instance, value: instance.public_id == value,
    "db-instance-name": lambda instance, value: value in instance.name,
    "db-project-id": lambda instance, value: str(instance.project_id) == value,
    "db-pay-mode": lambda _, value: value == "postpaid",
    "db-tag-key": lambda _, __: False,
    "db-private-ip": lambda instance, value: instance.host == value,
    "db-public-address": lambda _, __: False,
    "db-dedicated-cluster-id": lambda _, __: False,
}

_INSTANCE_ORDERS: Mapping[str, Callable[[InstanceView], tuple[datetime | str, ...]]] = {
    "DBInstanceId": lambda instance: (instance.public_id,),
    "CreateTime": lambda instance: (instance.created_at, instance.public_id),
    "Name": lambda instance: (instance.name, instance.public_id),
    "EndTime": lambda instance: (instance.public_id,),  # nothing here ever expires
}


def _instance(instance: InstanceView) -> Answer:
    """Sizes are 0 and ids of networks empty: they are unknown for a registered server."""
    version = "" if instance.version is None else f"{instance.version[0]}.{instance.version[1]}"
    return {
        "Region": instance.region,
        "Zone": instance.zone,
        "VpcId": "",
        "SubnetId": "",
        "DBInstanceId": instance.public_id,
        "DBInstanceName": instance.name,
        "DBInstanceStatus": _STATUSES[instance.status],
        "DBInstanceMemory": 0,
        "DBInstanceStorage": 0,
        "DBInstanceCpu": 0,
        "DBInstanceClass": "",
        "DBMajorVersion": "" if instance.version is None else str(instance.version[0]),
        "DBVersion": version,
        "DBKernelVersion": f"v{version}" if version else "",
        "DBInstanceType": "primary",
        "DBInstanceVersion": "standard",
        "DBCharset": instance.charset,
        "CreateTime": vendor_time(instance.created_at),
        "UpdateTime": vendor_time(instance.created_at),
        "ExpireTime": _NEVER,
        "IsolatedTime": _NEVER,
        "PayType": "postpaid",
        "AutoRenew": 0,
        "DBInstanceNetInfo": [_net_info(instance)],
        "Type": "",
        "AppId": instance.app_id,
        "Uid": instance.owner_number,
        "ProjectId": instance.project_id,
        "TagList": [],
        "MasterDBInstanceId": "",
        "ReadOnlyInstanceNum": 0,
        "StatusInReadonlyGroup": "",
        "OfflineTime": _NEVER,
        "DBNodeSet": [{"Role": "Primary", "Zone": instance.zone, "DedicatedClusterId": ""}],
        "IsSupportTDE": 0,
        "DBEngine": "postgresql",
        "DBEngineConfig": "",
        "NetworkAccessList": [],
        "SupportIpv6": 0,
        "ExpandedCpu": 0,
        "DeletionProtection": False,
        "DBInstanceStorageType": "",
    }


def _net_info(instance: InstanceView) -> Answer:
    numeric = _is_ip(instance.host)
    return {
        "Address": "" if numeric else instance.host,
        "Ip": instance.host if numeric else "",
        "Port": instance.port,
        "NetType": "private",
        "Status": "opened" if instance.port else "initing",
        "VpcId": "",
        "SubnetId": "",
        "ProtocolType": "postgresql",
    }


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def regions(checked: Checked[object]) -> Answer:
    chinese = _speaks_chinese(checked)
    return {"TotalCount": len(PLACES), "RegionSet": [_region(place, chinese=chinese) for place in PLACES]}


def _region(place: Place, *, chinese: bool) -> Answer:
    return {
        "Region": place.region,
        "RegionName": f"{place.chinese_area}({place.chinese})" if chinese else place.english,
        "RegionId": place.number,
        "RegionState": "AVAILABLE",
        "SupportInternational": int(place.international),
    }


def zones(checked: Checked[object]) -> Answer:
    """The zones of the call's region."""
    chinese = _speaks_chinese(checked)
    found = [
        _zone(place, zone, chinese=chinese)
        for place in PLACES
        if place.region == checked.call.region
        for zone in place.zones
    ]
    return {"TotalCount": len(found), "ZoneSet": found}


def _zone(place: Place, zone: int, *, chinese: bool) -> Answer:
    return {
        "Zone": f"{place.region}-{zone}",
        "ZoneName": f"{place.chinese}{CHINESE_NUMERALS[zone]}区"
        if chinese
        else f"{place.english} Zone {zone}",
        "ZoneId": place.zone_base + zone,
        "ZoneState": "AVAILABLE",
        "ZoneSupportIpv6": 0,
        "StandbyZoneSet": [f"{place.region}-{other}" for other in place.zones],
    }


def _speaks_chinese(checked: Checked[object]) -> bool:
    return checked.call.envelope.language is Language.CHINESE
