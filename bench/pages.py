"""`--only pages`: the first byte of pages of long lists, in the console and in the API.

Accounts are roles made by SQL, with the rows that Rolecall would have of them; users are loaded as an import does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
from rich.table import Table

from bench.people_load import load
from rolecall.signing import tc3
from rolecall.values import Secret

_TIMES = 20
_MAKE = """
do $$ begin for number in 1..{count} loop
    execute format('create role paged_%s login', lpad(number::text, 6, '0'));
    if number % 1000 = 0 then commit; end if;  -- each new role is a lock until then
end loop; end $$
"""
_RECORD = """
insert into rolecall.accounts (instance_id, name, engine_oid, identity, created_at, updated_at)
select f.instance_id, r.name, r.oid, r.oid::text, now() - make_interval(secs => r.number), now()
  from rolecall.instance_faces f,
       unnest(%(names)s::text[], %(oids)s::bigint[]) with ordinality as r (name, oid, number)
 where f.public_id = %(instance)s
"""


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table(
        "page", "first byte, p50 ms", "ms, least to most",
        title="Pages of long lists",
        caption=f"Each asked for {_TIMES} times, of {options.listed:,} accounts and {options.users:,} users.",
    )  # fmt: skip
    instance, store = ready["tencent"]["postgres_instance_id"], ready["tencent"]["user_store_id"]
    _make_accounts(ready, instance, options.listed)
    asyncio.run(load(ready, store, options.users))
    accounts, users = f"/console/instances/{instance}", f"/console/directories/{store}"
    last_user = f"before=0-{'0' * 32}"
    with closing(_console(ready)) as client:
        for label, make in {
            "console, accounts, first": _page(client, accounts),
            "console, accounts, last": _page(client, f"{accounts}?before=paged_9"),
            "console, accounts, a search that finds nothing": _page(client, f"{accounts}?name=nothing"),
            "console, one account": _page(client, f"{accounts}/accounts/paged_000777"),
            "DescribeAccounts, as it is by default": _call(client, ready, {}),
            "DescribeAccounts by name, in the middle": _call(
                client, ready, {"OrderBy": "name", "Offset": options.listed // 2}
            ),
            "console, users, first": _page(client, users),
            "console, users, last": _page(client, f"{users}?{last_user}"),
            "console, users, a search that finds nothing": _page(client, f"{users}?search=nothing"),
        }.items():
            measured = [_milliseconds(client, make) for _ in range(_TIMES + 1)][1:]
            median, least, most = statistics.median(measured), min(measured), max(measured)
            table.add_row(label, f"{median:.0f}", f"{least:.0f} to {most:.0f}")
    return table


def _make_accounts(ready: Mapping[str, Any], instance: str, count: int) -> None:
    engine = ready["engines"]["postgres"]
    login = {word: engine[word] for word in ("host", "port", "user", "password")}
    with psycopg.connect(**login, dbname=engine["database"], autocommit=True) as connection:
        connection.execute(_MAKE.format(count=count).encode())
        connection.execute("vacuum analyze")
        rows = connection.execute(
            "select rolname::text, oid from pg_roles where rolname ~ '^paged_'"
        ).fetchall()
    url = json.loads((Path(ready["data"]) / "connection.json").read_text())["database_url"]
    with psycopg.connect(url, autocommit=True) as connection:
        names, oids = zip(*rows, strict=True)
        connection.execute(_RECORD, {"names": list(names), "oids": list(oids), "instance": instance})
        connection.execute("vacuum analyze rolecall.accounts")


def _console(ready: Mapping[str, Any]) -> httpx.Client:
    """Signed in as the owner, by a link."""
    program = Path(sys.executable).with_name("rolecall")
    command = [program, "console", "--json", "--data", ready["data"]]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (printed,) = json.loads(done.stdout)
    client = httpx.Client(base_url=ready["endpoint"], timeout=60)
    client.get(str(printed["link"]))
    return client


def _page(client: httpx.Client, path: str) -> Callable[[], httpx.Request]:
    return lambda: client.build_request("GET", path)


def _call(
    client: httpx.Client, ready: Mapping[str, Any], params: Mapping[str, object]
) -> Callable[[], httpx.Request]:
    tencent = ready["tencent"]
    payload = json.dumps({"DBInstanceId": tencent["postgres_instance_id"], **params}).encode()

    def signed() -> httpx.Request:
        headers = tc3.post_headers(
            tencent["secret_id"], Secret(tencent["secret_key"]), service="postgres", version="2017-03-12",
            action="DescribeAccounts", region=tencent["region"], timestamp=int(time.time()),
            host=ready["endpoint"].removeprefix("http://"), payload=payload,
        )  # fmt: skip
        return client.build_request("POST", "/", content=payload, headers=headers)

    return signed


def _milliseconds(client: httpx.Client, make: Callable[[], httpx.Request]) -> float:
    """Until the head of the answer. RuntimeError for a page or a call that failed."""
    request, began = make(), time.perf_counter()
    answer = client.send(request, stream=True)
    taken = (time.perf_counter() - began) * 1000
    body = answer.read()
    if answer.status_code != 200 or b'"Error"' in body[:100]:
        raise RuntimeError(f"{request.url}: {answer.status_code}")
    return taken
