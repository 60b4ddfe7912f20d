"""Clients that create, one call after another, on every replica, and note what they were answered and when."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from tests.conftest import Rolecall
from tests.server.ciam import somebody
from tests.waiting import until

PASSWORD = "Failing_over1"

KINDS = ("account", "sub-user", "user")


@dataclass(frozen=True)
class Outcome:
    """`code` is empty where the call succeeded, `began` and `ended` by `time.monotonic`."""

    kind: str
    name: str
    code: str
    began: float
    ended: float


@dataclass
class Load:
    prefix: str
    replicas: Sequence[Rolecall]
    user_store: str
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """One client for each kind of call and each replica."""
        threads = [
            threading.Thread(target=self._work, args=(kind, number), name=f"{kind} {number}")
            for kind in KINDS
            for number in range(len(self.replicas))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
        assert not self.errors, self.errors

    def _work(self, kind: str, number: int) -> None:
        try:
            for serial in itertools.count():
                if self._stopping.is_set():
                    return
                self._make(kind, f"{self.prefix}_{kind[0]}{number}_{serial}", self.replicas[number])
        except BaseException as error:
            self.errors.append(error)

    def _make(self, kind: str, name: str, replica: Rolecall) -> None:
        began = time.monotonic()
        if kind == "account":
            params = {
                "DBInstanceId": replica.instance_id,
                "UserName": name,
                "Type": "normal",
                "Password": PASSWORD,
            }
            answer = replica.call("CreateAccount", params)
        elif kind == "sub-user":
            answer = replica.call("AddUser", {"Name": name}, service="cam", version="2019-01-16", region="")
        else:
            params = somebody() | {"UserName": name, "UserStoreId": self.user_store}
            answer = replica.call("CreateUser", params, service="ciam", version="2022-03-31")
        code = str(answer.get("Error", {}).get("Code", ""))
        self.outcomes.append(Outcome(kind, name, code, began, time.monotonic()))
        if code:  # as clients do
            self._stopping.wait(0.1)

    def names(self, kind: str, *, acknowledged: bool) -> set[str]:
        return {one.name for one in self.outcomes if one.kind == kind and acknowledged is (one.code == "")}

    def has_succeeded_since(self, moment: float) -> bool:
        """Every kind of call, on every replica."""
        found = {
            (one.kind, one.name.rpartition("_")[0])
            for one in list(self.outcomes)
            if not one.code and one.began > moment
        }
        return len(found) == len(KINDS) * len(self.replicas)

    def resumed(self, moment: float) -> float:
        """Wait for that; how many seconds after the moment the last of them first succeeded."""
        until(lambda: self.errors or self.has_succeeded_since(moment))
        return max(self._first_since(moment).values(), default=moment) - moment

    def _first_since(self, moment: float) -> dict[str, float]:
        """When the first call that began later succeeded, by client."""
        first: dict[str, float] = {}
        for one in list(self.outcomes):
            if not one.code and one.began > moment:
                first.setdefault(one.name.rpartition("_")[0], one.ended)
        return first


def is_ready(replica: Rolecall) -> bool:
    return httpx.get(f"{replica.endpoint}/readyz", timeout=60).status_code == 200
