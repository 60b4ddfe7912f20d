"""Views of instances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A registered instance. `status`: ``running``, ``isolated``, ``restarting`` or ``unreachable``; a server that
    Rolecall runs may also be ``starting`` (being created), ``isolating``, ``reviving``, ``deleting`` or ``failed``.

    `host` is empty and `port` 0 until the server has listened once. `databases` are names, if they were asked for.
    `version` (major, minor) is None and `version_text` and `charset` are empty if the server cannot be asked.
    """

    public_id: str
    name: str
    region: str
    zone: str
    status: str
    version: tuple[int, int] | None
    version_text: str
    host: str
    port: int
    charset: str
    created_at: datetime
    app_id: int
    owner_number: int
    project_id: int = 0
    databases: tuple[str, ...] = ()
