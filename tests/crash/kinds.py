"""Both kinds of server under one face, so that one case is tried on each, through the dialect of its clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

import httpx
import psycopg
from tests.clients.petadata_cloud import MariaDb
from tests.crash.test_crashes import OTHER_PASSWORD, PASSWORD, call, ok

from rolecall.signing import acs1
from rolecall.values import Secret


class Lost(AssertionError):
    """The acknowledged account, or what the store keeps of it, is not as it was acknowledged."""


def keep(condition: object, what: object) -> None:
    if not condition:
        raise Lost(what)


class Kind(Protocol):
    """An account that is made `newer` is made by others while a change is held up; it has to stay as it is."""

    bench: Any

    def new_name(self) -> str: ...
    def target(self, user: str) -> str:
        """How operations name the account."""

    def make(self, endpoint: str, user: str, remark: str = "older") -> None: ...
    def try_to_make(self, endpoint: str, user: str) -> bool: ...
    def make_newer(self, endpoint: str, user: str) -> None: ...
    def expect_newer(self, endpoint: str, user: str) -> None: ...
    def delete(self, endpoint: str, user: str) -> None: ...
    def try_to_delete(self, endpoint: str, user: str) -> None: ...
    def change(self, endpoint: str, user: str) -> None:
        """Its password, to `OTHER_PASSWORD`."""

    def is_there(self, user: str) -> bool: ...
    def can_log_in(self, user: str, password: str) -> bool: ...
    def change_missing(self, endpoint: str, user: str) -> str:
        """Ask for a change that is refused since there is no such account; the kind of its operation."""


def row(bench: Any, user: str) -> tuple[Any, ...] | None:
    """Of the store: identity, remark, whether its time of creation is known, whether a managed password is kept."""
    query = (
        "select identity, remark, created_at is not null, sealed_password is not null from rolecall.accounts"
        " where name = %s and not deleted"
    )
    with psycopg.connect(bench.store) as store:
        return store.execute(query, (user,)).fetchone()


@dataclass
class OnPostgres:
    """Tencent's dialect. What is newer has a managed password."""

    bench: Any

    def new_name(self) -> str:
        return f"kept_{uuid4().hex[:10]}"

    def target(self, user: str) -> str:
        return user

    def make(self, endpoint: str, user: str, remark: str = "older") -> None:
        password = PASSWORD if remark == "older" else OTHER_PASSWORD
        made = {"UserName": user, "Type": "normal", "Password": password, "Remark": remark}
        ok(self.bench, endpoint, "CreateAccount", **made)

    def try_to_make(self, endpoint: str, user: str) -> bool:
        made = {"UserName": user, "Type": "normal", "Password": PASSWORD}
        return "Error" not in call(self.bench, endpoint, "CreateAccount", **made)

    def make_newer(self, endpoint: str, user: str) -> None:
        self.make(endpoint, user, "newer")
        ok(self.bench, endpoint, "OpenAccountCAM", UserName=user)

    def expect_newer(self, endpoint: str, user: str) -> None:
        found = self.bench.rolecall.sql("select oid::text from pg_roles where rolname = %s", user)
        keep(found, "the account is gone")
        kept = row(self.bench, user)
        keep(kept == (found[0][0], "newer", True, True), kept)
        ok(self.bench, endpoint, "CloseAccountCAM", UserName=user, Password=PASSWORD)
        assert self.bench.rolecall.can_log_in(user, PASSWORD)

    def delete(self, endpoint: str, user: str) -> None:
        ok(self.bench, endpoint, "DeleteAccount", UserName=user)

    def try_to_delete(self, endpoint: str, user: str) -> None:
        call(self.bench, endpoint, "DeleteAccount", UserName=user)

    def change(self, endpoint: str, user: str) -> None:
        ok(self.bench, endpoint, "ResetAccountPassword", UserName=user, Password=OTHER_PASSWORD)

    def is_there(self, user: str) -> bool:
        return bool(self.bench.rolecall.sql("select from pg_roles where rolname = %s", user))

    def can_log_in(self, user: str, password: str) -> bool:
        return bool(self.bench.rolecall.can_log_in(user, password))

    def change_missing(self, endpoint: str, user: str) -> str:
        answer = call(self.bench, endpoint, "LockAccount", UserName=user)
        assert "does not exist" in answer["Error"]["Message"]
        return "account.lock"


@dataclass
class OnMariaDb:
    """PetaData, which knows no managed passwords."""

    bench: Any
    instance: str
    server: MariaDb

    def new_name(self) -> str:
        return "k" + uuid4().hex[:9]

    def target(self, user: str) -> str:
        return f"{user}@%"

    def ask(self, endpoint: str, action: str, user: str, **more: str) -> httpx.Response:
        return petadata(self.bench, endpoint, self.instance, action, AccountName=user, **more)

    def make(self, endpoint: str, user: str, remark: str = "older") -> None:
        password = PASSWORD if remark == "older" else OTHER_PASSWORD
        made = self.ask(endpoint, "CreateAccount", user, AccountPassword=password, AccountDescription=remark)
        assert made.status_code == 200, made.text

    def try_to_make(self, endpoint: str, user: str) -> bool:
        return self.ask(endpoint, "CreateAccount", user, AccountPassword=PASSWORD).status_code == 200

    def make_newer(self, endpoint: str, user: str) -> None:
        self.make(endpoint, user, "newer")

    def expect_newer(self, endpoint: str, user: str) -> None:
        keep(self.is_there(user), "the account is gone")
        query = f"SELECT identity FROM rolecall_control.accounts WHERE user = '{user}'"
        ((identity,),) = self.server.sql(query)
        kept = row(self.bench, user)
        keep(kept == (identity, "newer", True, False), kept)
        assert self.server.can_log_in(user, OTHER_PASSWORD)

    def delete(self, endpoint: str, user: str) -> None:
        gone = self.ask(endpoint, "DeleteAccount", user)
        assert gone.status_code == 200, gone.text

    def try_to_delete(self, endpoint: str, user: str) -> None:
        self.ask(endpoint, "DeleteAccount", user)

    def change(self, endpoint: str, user: str) -> None:
        changed = self.ask(endpoint, "ResetAccountPassword", user, NewPassword=OTHER_PASSWORD)
        assert changed.status_code == 200, changed.text

    def is_there(self, user: str) -> bool:
        return bool(self.server.sql(f"SELECT User FROM mysql.global_priv WHERE User = '{user}'"))

    def can_log_in(self, user: str, password: str) -> bool:
        return self.server.can_log_in(user, password)

    def change_missing(self, endpoint: str, user: str) -> str:
        answer = self.ask(endpoint, "ResetAccountPassword", user, NewPassword="Third_password3")
        assert answer.json()["Code"] == "InvalidAccountName.NotFound", answer.text
        return "account.password"


def petadata(bench: Any, endpoint: str, instance: str, action: str, **more: str) -> httpx.Response:
    """A signed call at an endpoint of the crash bench."""
    params = {
        "Action": action,
        "Version": "2016-01-01",
        "Format": "JSON",
        "AccessKeyId": bench.secret_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": str(uuid4()),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InstanceId": instance,
        **({"AccountVersion": "1"} if action == "CreateAccount" else {}),
        **more,
    }
    signature = acs1.sign("POST", tuple(params.items()), Secret(bench.secret_key))
    return httpx.post(endpoint, data={**params, "Signature": signature}, timeout=60, trust_env=False)
