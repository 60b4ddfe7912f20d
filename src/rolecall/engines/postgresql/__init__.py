"""The PostgreSQL engine, for servers from 13 on. docs/super-accounts.md describes how its super accounts are built."""

from __future__ import annotations

import hashlib

from rolecall.domain.engine import EngineAddress, EngineTraits
from rolecall.domain.instances.store_place import StorePlace
from rolecall.engines import scram
from rolecall.engines.postgresql.accounts import Accounts, require_no_host
from rolecall.engines.postgresql.connections import Connections
from rolecall.engines.postgresql.creations import CreateBatcher
from rolecall.engines.postgresql.databases import Databases
from rolecall.engines.postgresql.defaults import PostgresRoles
from rolecall.engines.postgresql.group import SuperGroup
from rolecall.engines.postgresql.listing import Listing
from rolecall.engines.postgresql.privileges import Privileges
from rolecall.engines.postgresql.removal import Removal
from rolecall.engines.postgresql.server import Server
from rolecall.engines.postgresql.states import States
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.values import Secret


class PostgresEngine:
    """`rolecall.domain.engine.Engine` on one PostgreSQL server. Constructing one opens no connection.

    Super accounts are refused with ENGINE_TOO_OLD below `super_min_version`: before 16 a role with CREATEROLE
    could make itself all but superuser. The database of `store` and its roles are out of reach on its own server.
    Processes that share a server share `lock_key`, from which the names of locks on it are derived.
    """

    traits = EngineTraits()
    grants = superuser = password_check = None

    def __init__(
        self,
        address: EngineAddress,
        *,
        super_min_version: int = 16,
        pool_size: int = 4,
        deadlines: Deadlines = DEFAULTS,
        store: StorePlace | None = None,
        lock_key: Secret | None = None,
    ) -> None:
        connections = Connections(address, size=pool_size, deadlines=deadlines)
        self._server = server = Server(
            address,
            connections,
            super_min_version=super_min_version,
            store=store,
            lock_secret=b"" if lock_key is None else hashlib.sha256(lock_key.reveal().encode()).digest(),
        )
        group = SuperGroup(server)
        accounts = Accounts(server, group)
        databases = Databases(server, accounts)
        roles = PostgresRoles(server, accounts)
        self.objects = privileges = Privileges(server, accounts, roles)
        self.ownership = databases
        self.roles = roles
        self.facts = server.facts
        self.expiries = server.expiries
        self.require_new_name = accounts.require_new_name
        self.create_account = CreateBatcher(server, group, accounts).create
        self.change_account = accounts.change
        self.drop_account = Removal(server, group, accounts).drop
        self.account = self.identify = accounts.find
        self.accounts = accounts.all
        self.listing = Listing(server, accounts)
        self.states = States(server, accounts, privileges, self.roles)
        self.databases = databases.all
        self.create_database = databases.create
        self.drop_database = databases.drop
        self.close = connections.close

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(scram.verifier(password.reveal()))

    def canonical_host(self, host: str) -> str:
        require_no_host(host)
        return host
