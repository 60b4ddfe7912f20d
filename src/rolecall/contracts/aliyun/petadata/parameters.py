"""The parameters of `petadata` 2016-01-01, a class for each action.

Sources: CreateAccount is its page of the API reference. The siblings are those of aliyun-python-sdk-petadata 1.2.1,
with the requiredness and the rules of the PetaData API manual; a test compares the names. Where manual and SDK spell
a parameter differently, both spellings are taken.
"""

from __future__ import annotations

from typing import Annotated

from rolecall.contracts.aliyun.petadata.rules import (
    ACCESS,
    ACCOUNT_NAME,
    ADDRESSES,
    CHANGED_PASSWORD,
    CLIENT_TOKEN,
    DATABASE_INFO,
    DATABASE_NAME,
    DATABASE_NAMES,
    DESCRIPTION,
    GROUP_NAME,
    INSTANCE_ID,
    INSTANCE_NAME,
    MOMENT,
    NEW_ACCOUNT_NAME,
    NEW_DATABASE_NAME,
    NEW_PASSWORD,
    NODES,
    OLD_PASSWORD,
    OWNER,
    PAGE,
    PAGE_NUMBER,
    REGION,
    TEXT,
    choice,
    sizes,
)
from rolecall.contracts.model import Kind
from rolecall.contracts.parameters import Params
from rolecall.values import Secret

ACCOUNT_TYPES = ("Normal", "Super")
INSTANCE_STATUSES = ("CREATE", "ACTIVE", "MODIFY", "DELETE", "MIGRATE", "APPEND", "INACTIVE")
CHARGE_TYPES = ("PostPaid", "PrePaid")
TASK_STATUSES = ("0", "1", "2", "3", "4", "5")


class Owned(Params):
    """Parameters of every action of the SDK."""

    OwnerId: Annotated[str, OWNER] | None = None
    OwnerAccount: Annotated[str, OWNER] | None = None
    ResourceOwnerId: Annotated[str, OWNER] | None = None
    ResourceOwnerAccount: Annotated[str, OWNER] | None = None


class OnInstance(Owned):
    InstanceId: Annotated[str, INSTANCE_ID]


class OnAccount(OnInstance):
    AccountName: Annotated[str, ACCOUNT_NAME]


class OnEitherInstance(Owned):
    """The SDK's spelling and the manual's; the verb asks for one of them."""

    DBInstanceId: Annotated[str, INSTANCE_ID] | None = None
    InstanceId: Annotated[str, INSTANCE_ID] | None = None


class CreateAccount(OnAccount):
    AccountName: Annotated[str, NEW_ACCOUNT_NAME]
    AccountPassword: Annotated[Secret, NEW_PASSWORD]
    AccountType: Annotated[str, choice(*ACCOUNT_TYPES, source=PAGE)] = "Normal"
    DBInfo: Annotated[object, Kind.JSON, DATABASE_INFO] | None = None
    DBName: Annotated[str, DATABASE_NAMES] | None = None
    AccountPrivilege: Annotated[str, choice(*ACCESS, source=PAGE)] | None = None
    AccountDescription: Annotated[str, DESCRIPTION] | None = None
    ClientToken: Annotated[str, CLIENT_TOKEN] | None = None
    AccountVersion: Annotated[str, choice("0", "1", source=PAGE)] | None = None


class DescribeAccounts(OnInstance):
    pass


class DeleteAccount(OnAccount):
    pass


class ResetAccountPassword(OnAccount):
    NewPassword: Annotated[Secret, CHANGED_PASSWORD]


class ModifyAccountPassword(OnAccount):
    OldPassword: Annotated[Secret, OLD_PASSWORD]
    NewPassword: Annotated[Secret, CHANGED_PASSWORD]


class ModifyAccountDescription(OnEitherInstance):
    AccountName: Annotated[str, ACCOUNT_NAME]
    AccountDescription: Annotated[str, DESCRIPTION]


class GrantAccountPrivilege(OnEitherInstance):
    AccountName: Annotated[str, ACCOUNT_NAME]
    DBName: Annotated[str, DATABASE_NAMES]
    AccountPrivilege: Annotated[str, choice(*ACCESS)]


class RevokeAccountPrivilege(OnEitherInstance):
    AccountName: Annotated[str, ACCOUNT_NAME]
    DBName: Annotated[str, DATABASE_NAMES]


class CreateDatabase(OnInstance):
    DBName: Annotated[str, NEW_DATABASE_NAME]
    NodeSpec: Annotated[str, TEXT] | None = None
    NodeNumber: Annotated[int, NODES] | None = None
    Token: Annotated[str, CLIENT_TOKEN] | None = None


class DeleteDatabase(OnInstance):
    DBName: Annotated[str, DATABASE_NAME]
    ClientToken: Annotated[str, CLIENT_TOKEN] | None = None


class DescribeDatabases(OnInstance):
    DBName: Annotated[str, DATABASE_NAME] | None = None


class CreateInstance(Owned):
    RegionId: Annotated[str, REGION]
    ZoneId: Annotated[str, TEXT]
    DBName: Annotated[str, NEW_DATABASE_NAME]
    NodeSpec: Annotated[str, TEXT]
    NodeNumber: Annotated[int, NODES]
    AccountName: Annotated[str, NEW_ACCOUNT_NAME]
    AccountPassword: Annotated[Secret, NEW_PASSWORD]
    ChargeType: Annotated[str, choice(*CHARGE_TYPES)] | None = None
    PayType: Annotated[str, choice(*CHARGE_TYPES)] | None = None
    NetworkType: Annotated[str, choice("Classic", "VPC")] = "Classic"
    VpcId: Annotated[str, TEXT] | None = None
    VPCId: Annotated[str, TEXT] | None = None
    VSwitchId: Annotated[str, TEXT] | None = None
    InstanceName: Annotated[str, INSTANCE_NAME] | None = None
    SecurityIPList: Annotated[str, ADDRESSES] | None = None
    ClientToken: Annotated[str, CLIENT_TOKEN] | None = None


class DeleteInstance(OnInstance):
    ClientToken: Annotated[str, CLIENT_TOKEN] | None = None


class DescribeInstances(Owned):
    InstanceId: Annotated[str, INSTANCE_ID] | None = None
    InstanceStatus: Annotated[str, choice(*INSTANCE_STATUSES)] | None = None
    ChargeType: Annotated[str, choice(*CHARGE_TYPES)] | None = None
    PageNumber: Annotated[int, PAGE_NUMBER] = 1
    PageSize: Annotated[int, sizes(10, 20, 30, 40, 50)] = 10


class DescribeInstanceInfo(OnInstance):
    pass


class ModifyInstanceName(OnInstance):
    NewInstanceName: Annotated[str, INSTANCE_NAME]


class DescribeSecurityIPs(OnInstance):
    pass


class ModifySecurityIPs(OnInstance):
    ModifyMode: Annotated[str, choice("0", "1", "2")] | None = None
    Modifymode: Annotated[str, choice("0", "1", "2")] | None = None
    SecurityIPList: Annotated[str, ADDRESSES] | None = None
    SecurityIps: Annotated[str, ADDRESSES] | None = None
    SecurityIPListName: Annotated[str, GROUP_NAME] = "default"
    SecurityIPListAttribute: Annotated[str, TEXT] | None = None


class ModifySecurityIps(ModifySecurityIPs):
    """The manual's spelling of the same action."""


class DescribeRegions(Owned):
    pass


class DescribeTasks(OnInstance):
    StartTime: Annotated[str, MOMENT]
    EndTime: Annotated[str, MOMENT]
    PageNumbers: Annotated[int, PAGE_NUMBER]
    MaxRecordsPerPage: Annotated[int, sizes(30, 50, 100, 200, 500, 1000)]
    TaskAction: Annotated[str, TEXT] | None = None
    Status: Annotated[str, choice(*TASK_STATUSES)] | None = None
    TaskStatus: Annotated[str, choice(*TASK_STATUSES)] | None = None


class DescribeTaskStatus(OnInstance):
    TaskId: Annotated[str, TEXT]


class DescribeUserInfo(Owned):
    pass
