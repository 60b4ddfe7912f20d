"""Index flattening: how nested parameters stand in a query or a form (``Filters.0.Values.1=x``), both ways.

Source: "Request structure" and "Signature Method v1" of the Tencent Cloud API documentation; indexes start at 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.strict_json import MAX_DEPTH

MAX_SEGMENTS = 100_000
"""Names, and parts of names between their dots, in one request."""

_INDEX = re.compile(r"0|[1-9][0-9]*", re.ASCII)

Tree = dict[str, "str | Tree"]


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Nested parameters from flattened ones; a structure whose member names are all indexes is a list.

    Refuses with PARAMETER_UNKNOWN (a name no structure can have), PARAMETER_TYPE (a name that is both a value
    and a structure, or a list with a gap) or TOO_LARGE.
    """
    tree: Tree = {}
    segments = 0
    for name, value in pairs:
        segments += name.count(".") + 1
        if segments > MAX_SEGMENTS:
            raise Refused(Reason.TOO_LARGE, note="too many parts of names")
        _insert(tree, name, value)
    return {name: _settle(node, name) for name, node in tree.items()}


def _insert(tree: Tree, name: str, value: str) -> None:
    segments = name.split(".")
    if len(segments) > MAX_DEPTH or "" in segments:
        raise Refused(Reason.PARAMETER_UNKNOWN, name)
    for segment in segments[:-1]:
        child = tree.setdefault(segment, {})
        if isinstance(child, str):
            raise Refused(Reason.PARAMETER_TYPE, name, note="both a value and a structure")
        tree = child
    if segments[-1] in tree:
        raise Refused(Reason.PARAMETER_TYPE, name, note="both a value and a structure")
    tree[segments[-1]] = value


def _settle(node: str | Tree, name: str) -> object:
    if isinstance(node, str):
        return node
    indexes = [key for key in node if _INDEX.fullmatch(key)]
    if not indexes:
        return {key: _settle(child, f"{name}.{key}") for key, child in node.items()}
    try:
        return [_settle(node[str(index)], f"{name}.{index}") for index in range(len(node))]
    except KeyError:
        raise Refused(Reason.PARAMETER_TYPE, name, note="list indexes are not 0, 1, 2, ...") from None


def flatten(params: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Flattened names and values, as the SDKs write them: None is left out, booleans are ``true`` and ``false``.

    Empty lists and structures have no flattened form.
    """
    return tuple(pair for name, value in params.items() for pair in _flatten(name, value))


def _flatten(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flatten(f"{name}.{key}", member)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _flatten(f"{name}.{index}", item)
    elif value is not None:
        yield name, scalar_text(value)


def scalar_text(value: object) -> str:
    """The text of a scalar in a flattened request."""
    return str(value).lower() if isinstance(value, bool) else str(value)
