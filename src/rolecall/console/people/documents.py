"""Policy documents as pages show them."""

from __future__ import annotations

import json


def indented(document: str) -> str:
    """The same document; anything but JSON stays as it is."""
    try:
        return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return document
