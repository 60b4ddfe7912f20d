"""The parameters of `petadata` 2016-01-01, a class for each action.

Sources: CreateAccount is its page of the API reference. The siblings are those of aliyun-python-sdk-petadata 1.2.1,
with the requiredness and the rules of the PetaData API manual; a test compares the names. Where manual and SDK spell
a parameter differently, both spellings are taken.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.aliyun.petadata import rules
from rolecall.contracts.model import Kind
from rolecall.contracts.parameters import Params
from rolecall.values import Secret

ACCOUNT_TYPES = ("Normal", "Super")
INSTANCE_STATUSES = ("CREATE", "ACTIVE", "MODIFY", "DELETE", "MIGRATE", "APPEND", "INACTIVE")
CHARGE_TYPES = ("PostPaid", "PrePaid")
TASK_STATUSES = ("0", "1", "2", "3", "4", "5")


class Owned(Params):
    """Parameters of every action of the SDK."""

    OwnerId: Annotated[str, rules.OWNER] | None = None
    OwnerAccount: Annotated[str, rules.OWNER] | None = None
    ResourceOwnerId: Annotated[str, rules.OWNER] | None = None
    ResourceOwnerAccount: Annotated[str, rules.OWNER] | None = None


class OnInstance(Owned):
    InstanceId: Annotated[str, rules.INSTANCE_ID]


class OnAccount(OnInstance):
    AccountName: Annotated[str, rules.ACCOUNT_NAME]


class OnEitherInstance(Owned):
    """The SDK's spelling and the manual's; the verb asks for one of them."""

    DBInstanceId: Annotated[str, rules.INSTANCE_ID] | None = None
    InstanceId: Annotated[str, rules.INSTANCE_ID] | None = None


class CreateAccount(OnAccount):
    AccountName: Annotated[str, rules.NEW_ACCOUNT_NAME]
    AccountPassword: Annotated[Secret, rules.NEW_PASSWORD]
    AccountType: Annotated[str, rules.choice(*ACCOUNT_TYPES, source=rules.PAGE)] = "Normal"
    DBInfo: Annotated[object, Kind.JSON, rules.DATABASE_INFO] | None = None
    DBName: Annotated[str, rules.DATABASE_NAMES] | None = None
    AccountPrivilege: Annotated[str, rules.choice(*rules.ACCESS, source=rules.PAGE)] | None = None
    AccountDescription: Annotated[str, rules.DESCRIPTION] | None = None
    ClientToken: Annotated[str, rules.CLIENT_TOKEN] | None = None
    AccountVersion: Annotated[str, rules.choice("0", "1", source=rules.PAGE)] | None = None


class DescribeAccounts(OnInstance):
    pass


class DeleteAccount(OnAccount):
    pass


class ResetAccountPassword(OnAccount):
    NewPassword: Annotated[Secret, rules.CHANGED_PASSWORD]


class ModifyAccountPassword(OnAccount):
    OldPassword: Annotated[Secret, rules.OLD_PASSWORD]
    NewPassword: Annotated[Secret, rules.CHANGED_PASSWORD]


class ModifyAccountDescription(OnEitherInstance):
    AccountName: Annotated[str, rules.ACCOUNT_NAME]
    AccountDescription: Annotated[str, rules.DESCRIPTION]


class GrantAccountPrivilege(OnEitherInstance):
    AccountName: Annotated[str, rules.ACCOUNT_NAME]
    DBName: Annotated[str, rules.DATABASE_NAMES]
    AccountPrivilege: Annotated[str, rules.choice(*rules.ACCESS)]


class RevokeAccountPrivilege(OnEitherInstance):
    AccountName: Annotated[str, rules.ACCOUNT_NAME]
    DBName: Annotated[str, rules.DATABASE_NAMES]


class CreateDatabase(OnInstance):
    DBName: Annotated[str, rules.NEW_DATABASE_NAME]
    NodeSpec: Annotated[str, rules.TEXT] | None = None
    NodeNumber: Annotated[int, rules.NODES] | None = None
    Token: Annotated[str, rules.CLIENT_TOKEN] | None = None


class DeleteDatabase(OnInstance):
    DBName: Annotated[str, rules.DATABASE_NAME]
    ClientToken: Annotated[str, rules.CLIENT_TOKEN] | None = None


class DescribeDatabases(OnInstance):
    DBName: Annotated[str, rules.DATABASE_NAME] | None = None


class CreateInstance(Owned):
    RegionId: Annotated[str, rules.REGION]
    ZoneId: Annotated[str, rules.TEXT]
    DBName: Annotated[str, rules.NEW_DATABASE_NAME]
    NodeSpec: Annotated[str, rules.TEXT]
    NodeNumber: Annotated[int, rules.NODES]
    AccountName: Annotated[str, rules.NEW_ACCOUNT_NAME]
    AccountPassword: Annotated[Secret, rules.NEW_PASSWORD]
    ChargeType: Annotated[str, rules.choice(*CHARGE_TYPES)] | None = None
    PayType: Annotated[str, rules.choice(*CHARGE_TYPES)] | None = None
    NetworkType: Annotated[str, rules.choice("Classic", "VPC")] = "Classic"
    VpcId: Annotated[str, rules.TEXT] | None = None
    VPCId: Annotated[str, rules.TEXT] | None = None
    VSwitchId: Annotated[str, rules.TEXT] | None = None
    InstanceName: Annotated[str, rules.INSTANCE_NAME] | None = None
    SecurityIPList: Annotated[str, rules.ADDRESSES] | None = None
    ClientToken: Annotated[str, rules.CLIENT_TOKEN] | None = None


class DeleteInstance(OnInstance):
    ClientToken: Annotated[str, rules.CLIENT_TOKEN] | None = None


class DescribeInstances(Owned):
    InstanceId: Annotated[str, rules.INSTANCE_ID] | None = None
    InstanceStatus: Annotated[str, rules.choice(*INSTANCE_STATUSES)] | None = None
    ChargeType: Annotated[str, rules.choice(*CHARGE_TYPES)] | None = None
    PageNumber: Annotated[int, rules.PAGE_NUMBER] = 1
    PageSize: Annotated[int, rules.sizes(10, 20, 30, 40, 50)] = 10


class DescribeInstanceInfo(OnInstance):
    pass


class ModifyInstanceName(OnInstance):
    NewInstanceName: Annotated[str, rules.INSTANCE_NAME]


class DescribeSecurityIPs(OnInstance):
    pass


class ModifySecurityIPs(OnInstance):
    ModifyMode: Annotated[str, rules.choice("0", "1", "2")] | None = None
    Modifymode: Annotated[str, rules.choice("0", "1", "2")] | None = None
    SecurityIPList: Annotated[str, rules.ADDRESSES] | None = None
    SecurityIps: Annotated[str, rules.ADDRESSES] | None = None
    SecurityIPListName: Annotated[str, rules.GROUP_NAME] = "default"
    SecurityIPListAttribute: Annotated[str, rules.TEXT] | None = None


class ModifySecurityIps(ModifySecurityIPs):
    """The manual's spelling of the same action."""


class DescribeRegions(Owned):
    pass


class DescribeTasks(OnInstance):
    StartTime: Annotated[str, rules.MOMENT]
    EndTime: Annotated[str, rules.MOMENT]
    PageNumbers: Annotated[int, rules.PAGE_NUMBER]
    MaxRecordsPerPage: Annotated[int, rules.sizes(30, 50, 100, 200, 500, 1000)]
    TaskAction: Annotated[str, rules.TEXT] | None = None
    Status: Annotated[str, rules.choice(*TASK_STATUSES)] | None = None
    TaskStatus: Annotated[str, rules.choice(*TASK_STATUSES)] | None = None


class DescribeTaskStatus(OnInstance):
    TaskId: Annotated[str, rules.TEXT]


class DescribeUserInfo(Owned):
    pass
