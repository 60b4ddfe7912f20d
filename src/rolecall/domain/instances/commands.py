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
    """Note which client addresses the server should accept. The outcome is the whole list.

    Rolecall is not in the data path, so it does not enforce the list.
    """

    instance: InstanceName
    addresses: tuple[str, ...]
    mode: Literal["replace", "add", "remove"] = "replace"
    group: str = ""
    """The name of an address group; empty for the default one. A group without addresses is removed."""
    label: str | None = None
    groups_at_most: int = 50
    """Counts the default one too; more are refused with PARAMETER_RANGE."""


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
    """`databases` also asks for the names of the databases of each instance."""

    dialect: str
    databases: bool = False


@dataclass(frozen=True, slots=True)
class ShowInstance(Command[InstanceView]):
    """`databases` also asks for the names of its databases."""

    instance: InstanceName
    databases: bool = False
