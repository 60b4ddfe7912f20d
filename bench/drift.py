"""`--only drift`: `rolecall account check` of many accounts, made by SQL with the records that Rolecall would have."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncmy
import psycopg
from rich.table import Table

_TIMES = 3
_POSTGRES = """
do $$ begin for number in 1..{count} loop
    execute format('create role drift_%s login', lpad(number::text, 6, '0'));
    if number % 1000 = 0 then commit; end if;  -- each new role is a lock until then
end loop; end $$
"""
_MARIADB_AT_ONCE = 500
_MARIADB = (
    "insert into mysql.global_priv (Host, User, Priv) values {rows}",
    "insert into mysql.db (Host, Db, User, Select_priv, Show_view_priv) values {grants}",
)
# As an adoption leaves it. The passwords are none.
_RECORD = """
insert into rolecall.accounts (instance_id, name, host, engine_oid, identity, created_at, updated_at, state)
select f.instance_id, r.name, %(host)s, r.oid, r.identity, now(), now(), jsonb_build_object(
           'of', jsonb_build_array(r.identity, 0), 'password', '["", 0]'::jsonb, 'login', '[true, 0]'::jsonb,
           'kind', '["normal", 0]'::jsonb, 'attributes', '["", 0]'::jsonb, 'connection_limit', '[-1, 0]'::jsonb,
           'valid_until', '["", 0]'::jsonb, 'memberships', '[true, 0]'::jsonb, 'grants', '[true, 0]'::jsonb)
           || %(more)s::jsonb
  from rolecall.instance_faces f,
       unnest(%(names)s::text[], %(oids)s::bigint[], %(identities)s::text[]) as r (name, oid, identity)
 where f.public_id = %(instance)s
"""


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table(
        "command", "accounts", "s", "s, least to most", "MiB at most",
        title="Comparing accounts with what was recorded",
        caption=f"Medians of {_TIMES}, from the command to its end. No account has drifted.",
    )  # fmt: skip
    count = options.compared
    postgres = ready["tencent"]["postgres_instance_id"]
    _fill_postgres(ready, postgres, count)
    _row(table, ready, "PostgreSQL", postgres, count)
    if "mysql" in ready["engines"]:
        mariadb = ready["aliyun"]["instance_id"]
        asyncio.run(_fill_mariadb(ready, mariadb, count))
        _row(table, ready, "MariaDB", mariadb, count)
    return table


def _fill_postgres(ready: Mapping[str, Any], instance: str, count: int) -> None:
    engine = ready["engines"]["postgres"]
    login = {word: engine[word] for word in ("host", "port", "user", "password")}
    with psycopg.connect(**login, dbname=engine["database"], autocommit=True) as connection:
        connection.execute(_POSTGRES.format(count=count).encode())
        query = "select rolname, oid from pg_roles where rolname like 'drift!_%' escape '!'"
        made = connection.execute(query).fetchall()
        connection.execute("vacuum analyze")
    names, oids = [name for name, _ in made], [oid for _, oid in made]
    _record(ready, instance, "", names, oids, list(map(str, oids)), "{}")


async def _fill_mariadb(ready: Mapping[str, Any], instance: str, count: int) -> None:
    """Straight into the tables: a statement for each account would take hours."""
    engine = ready["engines"]["mysql"]
    connection = await asyncmy.connect(
        host=engine["host"], port=engine["port"], user=engine["user"], password=engine["password"].encode(),
        autocommit=True,
    )  # fmt: skip
    names = [f"drift_{number:06}" for number in range(count)]
    priv = '{"access":0,"plugin":"mysql_native_password","authentication_string":"*' + "0" * 40 + '"}'
    async with connection.cursor() as cursor:
        for first in range(0, count, _MARIADB_AT_ONCE):
            part = names[first : first + _MARIADB_AT_ONCE]
            rows = ", ".join(f"('%', '{name}', '{priv}')" for name in part)
            grants = ", ".join(f"('%', 'ledger', '{name}', 'Y', 'Y')" for name in part)
            control = ", ".join(f"('{name}', '%', '{{}}', '{name}')" for name in part)
            for statement in _MARIADB:
                await cursor.execute(statement.format(rows=rows, grants=grants))
            await cursor.execute(
                "insert into rolecall_control.accounts (user, host, wanted, identity) values " + control
            )
        await cursor.execute("flush privileges")
    await connection.ensure_closed()
    _record(ready, instance, "%", names, [0] * count, names, '{"grant:ledger": ["read-only", 0]}')


def _record(
    ready: Mapping[str, Any],
    instance: str,
    host: str,
    names: list[str],
    oids: list[int],
    identities: list[str],
    more: str,
) -> None:
    url = json.loads((Path(ready["data"]) / "connection.json").read_text())["database_url"]
    with psycopg.connect(url, autocommit=True) as store:
        values = {
            "instance": instance, "host": host, "names": names, "oids": oids, "identities": identities,
            "more": more,
        }  # fmt: skip
        store.execute(_RECORD.encode(), values)


def _row(table: Table, ready: Mapping[str, Any], label: str, instance: str, count: int) -> None:
    program = Path(sys.executable).with_name("rolecall")
    command = [program, "account", "check", instance, "--data", ready["data"]]
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(_TIMES + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        seconds.append(time.perf_counter() - began)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    counted = seconds[1:]
    table.add_row(
        f"rolecall account check, {label}",
        f"{count:,}",
        f"{statistics.median(counted):.2f}",
        f"{min(counted):.2f} to {max(counted):.2f}",
        f"{most:.0f}",
    )
