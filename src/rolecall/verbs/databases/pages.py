"""Pages of the listings of Database v1.0, and the links between them.

A page holds 20 items at most, which is also what there is without a limit; a marker is the last item's key and stands
before the page. Source: Trove 26.0.0, trove/common/pagination.py; the marker in a link is encoded once, as the
release of 2013 did, and one that a client encoded twice is understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import unquote, urlencode

from rolecall.contracts.openstack.databases import parameters
from rolecall.contracts.openstack.places import base_url
from rolecall.values import Checked
from rolecall.verbs import Answer

PAGE_SIZE = 20

Item = TypeVar("Item")


def page(
    checked: Checked[parameters.Paged],
    name: str,
    items: Sequence[Item],
    key: Callable[[Item], str],
    shape: Callable[[Item], Answer],
) -> Answer:
    """``{name: [...]}``; while there is more, with the next page's link.

    The link stands there twice: clients of Trove look for ``links``, gophercloud for ``<name>_links``.
    """
    marker = checked.params.marker or ""
    behind = sorted((item for item in items if key(item) > marker), key=key)
    size = page_size(checked.params)
    return cut_page(checked, name, behind[:size], key, shape, has_more=len(behind) > size)


def cut_page(
    checked: Checked[parameters.Paged],
    name: str,
    shown: Sequence[Item],
    key: Callable[[Item], str],
    shape: Callable[[Item], Answer],
    *,
    has_more: bool,
) -> Answer:
    """`page`, where only the items of the page were read."""
    answer: Answer = {name: [shape(item) for item in shown]}
    if has_more:
        links = [{"rel": "next", "href": _next(checked, page_size(checked.params), key(shown[-1]))}]
        answer.update({"links": links, f"{name}_links": links})
    return answer


def page_size(params: parameters.Paged) -> int:
    return min(params.limit or PAGE_SIZE, PAGE_SIZE)


def user_marker(params: parameters.Paged) -> str:
    """The name and host after which a page of users begins."""
    marker = params.marker or ""
    return marker if "@" in marker else unquote(marker)


def _next(checked: Checked[object], size: int, marker: str) -> str:
    request = checked.call.envelope.request
    return f"{base_url(request)}{request.path}?{urlencode({'limit': size, 'marker': marker})}"
