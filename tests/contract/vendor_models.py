"""What the vendor's SDK and CLI declare of a service, in the form in which contracts are compared with it."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from rolecall.contracts.model import Action, Field, Kind, ListOf, Shape

PYTHON_TYPES = {
    Kind.STRING: "str",
    Kind.SECRET: "str",
    Kind.DOCUMENT: "str",
    Kind.JSON: "str",
    Kind.INTEGER: "int",
    Kind.BOOLEAN: "bool",
    Kind.FLOAT: "float",
}

# "Common Error Codes", every product.
COMMON_CODES = frozenset(
    """
    ActionOffline AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.MFAFailure
    AuthFailure.SecretIdNotFound AuthFailure.SignatureExpire AuthFailure.SignatureFailure AuthFailure.TokenFailure
    AuthFailure.UnauthorizedOperation DryRunOperation FailedOperation InternalError InvalidAction InvalidParameter
    InvalidParameterValue InvalidRequest IpInBlacklist IpNotInWhitelist LimitExceeded MissingParameter NoSuchProduct
    NoSuchVersion RequestLimitExceeded RequestLimitExceeded.GlobalRegionUinLimitExceeded
    RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.UinLimitExceeded RequestSizeLimitExceeded
    ResponseSizeLimitExceeded ResourceInUse ResourceInsufficient ResourceNotFound ResourceUnavailable
    ServiceUnavailable UnauthorizedOperation UnknownParameter UnsupportedOperation UnsupportedProtocol
    UnsupportedRegion
    """.split()  # noqa: SIM905 - a table
)


def sdk_types(models: ModuleType, name: str) -> dict[str, str]:
    """A model's members and their types, as its docstring declares them."""
    documentation = getattr(models, name).__init__.__doc__ or ""
    declared = dict(re.findall(r":type (\w+): (.+)", documentation))
    plain = {name: type_.removesuffix(" non-negative") for name, type_ in declared.items()}
    return {name: re.sub(r":class:`.*\.(\w+)`", r"\1", type_).strip() for name, type_ in plain.items()}


def cli_required(service: str, version: str) -> dict[str, dict[str, bool]]:
    """By object: the members and whether they are required, from the vendor's CLI."""
    found = importlib.util.find_spec("tccli")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "services" / service / version / "api.json"
    objects: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["objects"]
    return {
        name: {member["name"]: member.get("required", False) for member in one["members"]}
        for name, one in objects.items()
    }


def declared_type(type_: Kind | ListOf | Shape) -> str:
    if isinstance(type_, ListOf):
        return f"list of {declared_type(type_.item)}"
    return type_.name if isinstance(type_, Shape) else PYTHON_TYPES[type_]


def declared(fields: Iterable[Field]) -> dict[str, str]:
    """A contract's fields in the form of `sdk_types`."""
    return {field.name: declared_type(field.type) for field in fields}


def required(fields: Iterable[Field]) -> dict[str, bool]:
    """A contract's fields in the form of `cli_required`."""
    return {field.name: field.required for field in fields}


def shapes(actions: Iterable[Action]) -> dict[str, Shape]:
    """Every structure in the parameters of some actions."""
    return {shape.name: shape for action in actions for shape in _shapes(action.params)}


def _shapes(fields: Iterable[Field]) -> Iterator[Shape]:
    for field in fields:
        inner = field.type.item if isinstance(field.type, ListOf) else field.type
        if isinstance(inner, Shape):
            yield inner
            yield from _shapes(inner.fields)


def published_codes(errorcodes: ModuleType) -> frozenset[str]:
    return frozenset(value for name, value in vars(errorcodes).items() if name.isupper()) | COMMON_CODES
