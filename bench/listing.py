"""`--only listing`: `rolecall account list` of many accounts, all made by SQL on the quickstart server."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from rich.table import Table

_TIMES = 5
_MAKE = """
do $$ begin for number in 1..{count} loop
    execute format('create role listed_%s login', lpad(number::text, 6, '0'));
    if number % 1000 = 0 then commit; end if;  -- each new role is a lock until then
end loop; end $$
"""


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table(
        "command", "accounts", "s", "s, least to most", "s of processor time",
        title="Listing accounts",
        caption=f"Medians of {_TIMES}, from the command to its end.",
    )  # fmt: skip
    engine = ready["engines"]["postgres"]
    login = {word: engine[word] for word in ("host", "port", "user", "password")}
    with psycopg.connect(**login, dbname=engine["database"], autocommit=True) as connection:
        connection.execute(_MAKE.format(count=options.listed).encode())
    program = Path(sys.executable).with_name("rolecall")
    instance = ready["tencent"]["postgres_instance_id"]
    for form in ([], ["--json"]):
        measured = [
            _measured([program, "account", "list", "--instance", instance, "--data", ready["data"], *form])
            for _ in range(_TIMES + 1)
        ][1:]
        seconds = [each[0] for each in measured]
        table.add_row(
            " ".join(["rolecall account list", *form]),
            f"{options.listed:,}",
            f"{statistics.median(seconds):.2f}",
            f"{min(seconds):.2f} to {max(seconds):.2f}",
            f"{statistics.median(each[1] for each in measured):.2f}",
        )
    return table


def _measured(command: list[str | Path]) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=kept)
    seconds, after = time.perf_counter() - began, os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return seconds, used
