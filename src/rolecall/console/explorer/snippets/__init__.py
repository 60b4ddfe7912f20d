"""The same call as code: a module for each language, a pure function of the described call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rolecall.console.explorer.calls import DescribedCall
from rolecall.console.explorer.snippets import (
    aliyun,
    curl,
    go,
    java,
    node,
    openstack_cli,
    python,
    tccli,
    terraform,
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """`language` is its name in tests and addresses, `title` is what pages show."""

    language: str
    title: str
    text: str


_LANGUAGES: Mapping[str, tuple[str, frozenset[str], Callable[[DescribedCall], str]]] = {
    "curl": ("curl", frozenset({"tencent", "aliyun", "openstack"}), curl.snippet),
    "tccli": ("tccli", frozenset({"tencent"}), tccli.snippet),
    "aliyun": ("aliyun CLI", frozenset({"aliyun"}), aliyun.snippet),
    "openstack": ("openstack CLI", frozenset({"openstack"}), openstack_cli.snippet),
    "python": ("Python", frozenset({"tencent", "aliyun", "openstack"}), python.snippet),
    "go": ("Go", frozenset({"tencent", "aliyun", "openstack"}), go.snippet),
    "node": ("Node", frozenset({"tencent", "aliyun", "openstack"}), node.snippet),
    "java": ("Java", frozenset({"tencent", "aliyun", "openstack"}), java.snippet),
    "terraform": ("Terraform", frozenset({"tencent", "openstack"}), terraform.snippet),
}


def snippets(call: DescribedCall) -> list[Snippet]:
    """In every language that has a client for the dialect, and a command or a resource for the action."""
    made = [
        Snippet(language, title, make(call))
        for language, (title, dialects, make) in _LANGUAGES.items()
        if call.dialect in dialects
    ]
    return [snippet for snippet in made if snippet.text]
