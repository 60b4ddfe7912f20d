"""Commands on registered instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rolecall.domain.instances.registry import AddressGroup
from rolecall.domain.instances.views import InstanceView
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.operations.views import OperationView


@dataclass(frozen=True, slots=True)
class RenameInstance(Command[None]):
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class SetAddressList(Command[tuple[str, ...]]):
    """Addresses the instance should take, as a note: Rolecall is not in the data path. The outcome is all addresses."""

    instance: InstanceName
    addresses: tuple[str, ...]
    mode: Literal["replace", "add", "remove"] = "replace"
    group: str = ""
    """Of a group of that name; empty: of the default one. A group that is left empty is gone."""
    label: str | None = None
    groups_at_most: int = 50
    """With the default one; more are PARAMETER_RANGE."""


@dataclass(frozen=True, slots=True)
class ShowAddressList(Command[tuple[AddressGroup, ...]]):
    """The default group comes first."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ListOperations(Command[tuple[OperationView, ...]]):
    """The newest operations of an instance, at most `limit`."""

    instance: InstanceName
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ListInstances(Command[Sequence[InstanceView]]):
    """`databases` asks for the names of each one's databases too."""

    dialect: str
    databases: bool = False


@dataclass(frozen=True, slots=True)
class ShowInstance(Command[InstanceView]):
    """`databases` asks for the names of its databases too."""

    instance: InstanceName
    databases: bool = False
