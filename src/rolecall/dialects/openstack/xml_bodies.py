"""XML in and out: the document becomes the shape of its JSON counterpart, and the other way round.

Source: trove/common/wsgi.py and the serializer of Trove 2013.2, the last release that spoke XML, and the lengths of
the answers in the Rackspace Cloud Databases Developer Guide v1.0. Reading is stricter than the original was: a
namespace that is not the API's, mixed text, and anything of a DTD are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

NAMESPACE = "http://docs.openstack.org/database/api/v1.0"
MAX_DEPTH = 20
MAX_ELEMENTS = 10_000
MAX_ATTRIBUTES = 30_000
"""Counted by the equals signs in a document: one element could have all of them."""

LISTS = {"users": "user", "databases": "database"}
"""The elements that hold several of a kind; all others are structures."""

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "user": frozenset({"name", "password", "host", "status"}),
    "database": frozenset({"name"}),
    "instance": frozenset(
        {"id", "name", "status", "hostname", "created", "updated", "host", "server_id", "local_id"}
    ),
    "volume": frozenset({"size", "used"}),
    "flavor": frozenset({"id", "ram", "name"}),
    "link": frozenset({"href", "rel"}),
}
"""What an element shows as attributes; everything else becomes a child."""


class _Bounded(TreeBuilder):
    """Builds a tree, and stops as soon as it is too deep or too large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Refused(Reason.MALFORMED_REQUEST, note="nested too deeply, or too many elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def decode(body: bytes) -> dict[str, object]:
    """``{root: content}``, every scalar as text. MALFORMED_REQUEST."""
    root = _parse(body)
    return {_local(root.tag): _content(root)}


def _parse(body: bytes) -> Element:
    if body.count(b"=") > MAX_ATTRIBUTES:
        raise Refused(Reason.MALFORMED_REQUEST, note="too many attributes")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        # No cause is kept: a parser's error may quote the document.
        raise Refused(Reason.MALFORMED_REQUEST, note="not XML, or XML with a DTD") from None
    return root


def _content(element: Element) -> object:
    name = _local(element.tag)
    children = list(element)
    if name in LISTS:
        return [_item(child, LISTS[name]) for child in _only_children(element, children)]
    attributes = {key: value for key, value in element.attrib.items() if not key.startswith("{")}
    if not children and not attributes:
        return _scalar(element)
    members: dict[str, object] = dict(attributes)
    for child in _only_children(element, children):
        key = _local(child.tag)
        if key in members:
            raise Refused(Reason.MALFORMED_REQUEST, note="a name stands twice in one element")
        members[key] = _content(child)
    return members


def _item(child: Element, singular: str) -> object:
    if _local(child.tag) != singular:
        raise Refused(Reason.MALFORMED_REQUEST, note="an element that is not one of its list's")
    content = _content(child)
    return {} if content == "" else content


def _scalar(element: Element) -> object:
    """The text of an element without attributes and children, as if it were an attribute; empty text too."""
    return element.text or ""


def _only_children(element: Element, children: Sequence[Element]) -> Sequence[Element]:
    texts = (element.text, *(child.tail for child in children))
    if any(text and text.strip() for text in texts):
        raise Refused(Reason.MALFORMED_REQUEST, note="text between elements")
    return children


def _local(tag: str) -> str:
    namespace, brace, name = tag.rpartition("}")
    if brace and namespace[1:] != NAMESPACE:
        raise Refused(Reason.MALFORMED_REQUEST, note="another namespace")
    return name


def encode(document: Mapping[str, object]) -> bytes:
    """An answer: the first member is the root, and ``links`` beside it go inside it.

    No declaration, four spaces, text on a line of its own, attributes in order with ``xmlns`` last, a newline at
    the end.
    """
    name, value = next(iter(document.items()))
    lines = [*_element(name, value, 0, {"xmlns": NAMESPACE}, document.get("links"))]
    return ("\n".join(lines) + "\n").encode("utf-8")


def encode_fault(name: str, code: int, attributes: Mapping[str, str], children: Mapping[str, str]) -> bytes:
    """``<name code="N" xmlns="..."><message>S</message></name>``, on one line."""
    head = _tag(name, {"code": str(code), **attributes, "xmlns": NAMESPACE})
    inside = "".join(f"<{child}>{_escaped(text)}</{child}>" for child, text in children.items())
    return f"<{head}>{inside}</{name}>".encode()


def _element(
    name: str, value: object, level: int, own: Mapping[str, str], links: object = None
) -> Iterator[str]:
    indent = "    " * level
    attributes, children = _taken_apart(name, value)
    if links is not None:
        children = [*children, ("links", links)]
    head = _tag(name, {**attributes, **own})
    if not children:
        yield f"{indent}<{head}/>"
        return
    yield f"{indent}<{head}>"
    for child, inner in children:
        if child is None:
            yield f"{indent}    {_escaped(_text(inner))}"
        else:
            yield from _element(child, inner, level + 1, {})
    yield f"{indent}</{name}>"


def _taken_apart(name: str, value: object) -> tuple[dict[str, str], list[tuple[str | None, object]]]:
    """Attributes, and children by name; a child without a name is text."""
    if isinstance(value, Mapping):
        known = ATTRIBUTES.get(name, frozenset())
        shown = {key: member for key, member in value.items() if member is not None}
        attributes = {key: _text(member) for key, member in shown.items() if key in known}
        return attributes, [(key, member) for key, member in shown.items() if key not in known]
    if isinstance(value, list | tuple):
        singular = name[:-1] if name.endswith("s") else "item"
        return {}, [(singular, item) for item in value]
    return {}, [(None, value)]


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    """A start tag's inside. Sorted by name, which puts ``xmlns`` last."""
    return name + "".join(f' {key}="{_escaped(attributes[key])}"' for key in sorted(attributes))


def _text(value: object) -> str:
    """A `Secret` in an answer was made to be shown, once. Booleans are ``True`` and ``False``."""
    return value.reveal() if isinstance(value, Secret) else str(value)


_IMPOSSIBLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


def _escaped(text: str) -> str:
    """Characters that XML 1.0 cannot hold at all become U+FFFD."""
    return _IMPOSSIBLE.sub("\ufffd", text).translate(_ESCAPES)
