"""Where the services are, seen from the client that asks: catalogs and links keep the scheme and host it used."""

from __future__ import annotations

import re

from rolecall.values import Request

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?", re.ASCII)


def base_url(request: Request) -> str:
    """``http://host:port``. A Host header that could not be one is not repeated."""
    host = request.header("host")
    scheme = "https" if request.secure else "http"
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"


_TENANT = re.compile(r"/v1\.0/([A-Za-z0-9._-]{1,64})(?:/|$)", re.ASCII)


def database_url(request: Request, owner: int) -> str:
    """With the tenant in the request's own path, if it has one: an outside project may stand for the owner there."""
    found = _TENANT.match(request.path)
    return f"{base_url(request)}/v1.0/{owner if found is None else found[1]}"
