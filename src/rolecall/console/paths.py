"""Where the console is. Imported by every server; its pages only once a request is for one."""

from __future__ import annotations

PREFIX = "/console"


def concerns(path: str) -> bool:
    """Whether the console answers requests to that path."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
