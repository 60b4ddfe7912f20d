"""The store's address with secure defaults: verified TLS, SCRAM, channel binding; and with the hosts it names apart."""

from __future__ import annotations

import os
from collections.abc import Mapping

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rolecall.domain.instances.channels import ENCRYPTED, is_loopback, sslmode, system_authorities, weakness
from rolecall.values import Secret

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "service": "PGSERVICE",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "require_auth": "PGREQUIREAUTH",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""libpq's environment variables, the defaults for what the address leaves out."""

_PLACES = ("host", "hostaddr", "port")
"""Words with a value for each host, separated by commas."""

_WATCHED = {
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Only a server that takes writes is the store. A machine that is gone ends its connections within 20 seconds, also
those on which a statement may take an hour."""


def guarded(dsn: Secret) -> Secret:
    """The same address, as libpq's keywords. What it specifies stays; defaults for the rest:

    ``sslmode`` is ``verify-full``, but libpq's own default on loopback. ``require_auth`` is SCRAM with a password, and
    never allows a clear-text or MD5 one. ``channel_binding`` is required with a password over TLS.
    ``target_session_attrs`` is ``read-write``, and TCP watches the connection. An address that cannot be parsed is
    returned as it is, and fails where it is used. With a ``service``, ``sslmode`` is the service's.
    """
    given = _given(dsn)
    if given is None:
        return dsn
    closed = _WATCHED | {"require_auth": "scram-sha-256" if "password" in given else "!password,!md5"}
    if "service" not in given:
        mode = sslmode(_far_host(given), given, on_loopback="")
        closed |= {"sslmode": mode} if mode else {}
        if mode == "verify-full":
            closed["sslrootcert"] = system_authorities()
        if mode in ENCRYPTED and "password" in given:
            closed["channel_binding"] = "require"
    return Secret(
        make_conninfo(dsn.reveal(), **{word: closed[word] for word in closed.keys() - given.keys()})
    )


def hosts_apart(dsn: Secret) -> list[Secret]:
    """An address for each of its hosts, in their order; the address itself if it names one, or a ``service``.

    An address whose hosts and ports do not match is returned as it is, and libpq refuses it.
    """
    given = _given(dsn)
    if given is None or "service" in given:
        return [dsn]
    lists = {word: given[word].split(",") for word in _PLACES if word in given}
    number = max((len(values) for values in lists.values()), default=1)
    if any(len(values) not in (1, number) for values in lists.values()):
        return [dsn]
    return [
        Secret(
            make_conninfo(dsn.reveal(), **{word: values[i % len(values)] for word, values in lists.items()})
        )
        for i in range(number)
    ]


def weakness_of(dsn: Secret) -> str:
    """What an attacker on the network could do; empty if nothing, or if that is unknown here."""
    given = _given(dsn)
    return "" if given is None or "service" in given else weakness(_far_host(given), given)


def _given(dsn: Secret) -> Mapping[str, str] | None:
    try:
        words = {word: str(value) for word, value in conninfo_to_dict(dsn.reveal()).items() if value}
    except ProgrammingError:
        return None
    return {word: os.environ[name] for word, name in _VARIABLES.items() if os.environ.get(name)} | words


def _far_host(given: Mapping[str, str]) -> str:
    """The first of its hosts that is not this machine; empty if there is none."""
    hosts = f"{given.get('host', '')},{given.get('hostaddr', '')}".split(",")
    return next((host for host in hosts if not is_loopback(host)), "")
