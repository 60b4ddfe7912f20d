"""Commands on registered instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolecall.domain.messages import Command, InstanceName


@dataclass(frozen=True, slots=True)
class RenameInstance(Command):
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class SetAddressList(Command):
    """Addresses the instance should take, as a note: Rolecall is not in the data path. Answers all: a tuple of str."""

    instance: InstanceName
    addresses: tuple[str, ...]
    mode: Literal["replace", "add", "remove"] = "replace"
    group: str = ""
    """Of a group of that name; empty: of the default one. A group that is left empty is gone."""
    label: str | None = None
    groups_at_most: int = 50
    """With the default one; more are PARAMETER_RANGE."""


@dataclass(frozen=True, slots=True)
class ShowAddressList(Command):
    """A tuple of AddressGroup, the default one first."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ListOperations(Command):
    """The newest operations of an instance, at most `limit`, as a tuple of OperationView."""

    instance: InstanceName
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ListInstances(Command):
    """`databases` asks for the names of each one's databases too."""

    dialect: str
    databases: bool = False


@dataclass(frozen=True, slots=True)
class ShowInstance(Command):
    """`databases` asks for the names of its databases too."""

    instance: InstanceName
    databases: bool = False
