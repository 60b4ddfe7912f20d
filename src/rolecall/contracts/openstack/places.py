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


DATABASE_PLACE = "/database"
"""Where the catalog says that the database service is. Clients look for a service's versions at its address without
version and tenant (keystoneauth), and the root is the identity service's. Below the root it is as well."""

_TENANT = re.compile(rf"(?:{DATABASE_PLACE})?/v1\.0/([A-Za-z0-9._-]{{1,64}})(?:/|$)", re.ASCII)


def database_root(request: Request) -> str:
    """Without version and tenant, as the client that asks addresses it."""
    is_below = request.path.startswith(DATABASE_PLACE)
    return base_url(request) + (DATABASE_PLACE if is_below else "")


def database_url(request: Request, owner: int) -> str:
    """With the tenant in the request's own path, if it has one: an outside project may stand for the owner there."""
    found = _TENANT.match(request.path)
    return f"{database_root(request)}/v1.0/{owner if found is None else found[1]}"
