"""The MySQL engine: MariaDB from 10.6 on, and MySQL 8 and 9. docs/mysql.md describes how it keeps its promises."""

from __future__ import annotations

import hashlib

from rolecall.domain.engine import EngineAddress, EngineTraits
from rolecall.domain.instances.store_place import StorePlace
from rolecall.engines.mysql import names
from rolecall.engines.mysql.accounts import Accounts
from rolecall.engines.mysql.connections import Connections
from rolecall.engines.mysql.databases import Databases
from rolecall.engines.mysql.flavors import MARIADB, flavor_named
from rolecall.engines.mysql.grants import Grants
from rolecall.engines.mysql.listing import Listing
from rolecall.engines.mysql.server import Server
from rolecall.engines.mysql.states import States
from rolecall.engines.mysql.superuser import Superuser
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.values import Secret

WRITERS = 16
"""Each account statement locks all accounts, so several writers are slower than one. The engine itself puts changes in
line, and creates together the accounts that wait there: so this many may be under way."""


class MySqlEngine:
    """`rolecall.domain.engine.Engine` on one server. Constructing one opens no connection.

    Options of the address: ``flavor``, ``mariadb`` (the default) or ``mysql``, decides on the hashes and is compared
    with the server at each connection; ``control_schema``; ``sslmode`` and its companions. `super_min_version` is
    there for every engine and decides nothing here: super accounts are built alike on every version. Processes that
    share a server share `lock_key`, from which the names of locks on it are derived. ValueError for another flavor.
    """

    objects = ownership = roles = None

    def __init__(
        self,
        address: EngineAddress,
        *,
        super_min_version: int = 0,  # noqa: ARG002 - see above
        pool_size: int = 4,
        deadlines: Deadlines = DEFAULTS,
        store: StorePlace | None = None,  # noqa: ARG002 - it is on no server of this family
        lock_key: Secret | None = None,
    ) -> None:
        self._flavor = flavor = flavor_named(address.options.get("flavor", MARIADB.name))
        self.traits = EngineTraits(
            has_quick_verifier=flavor.is_quick, creates_in_steps=True, renames_accounts=True, writers=WRITERS
        )
        connections = Connections(address, flavor=flavor, size=pool_size, deadlines=deadlines)
        secret = b"" if lock_key is None else hashlib.sha256(lock_key.reveal().encode()).digest()
        self._server = server = Server(address, connections, flavor, lock_secret=secret)
        accounts = Accounts(server)
        databases = Databases(server)
        self.grants = Grants(server, accounts)
        # The tenants' superuser would see the sessions, and so the hashes, of an administrator of its own name.
        self.superuser = None if server.is_administered_as(Superuser.name) else Superuser(server, accounts)
        self.password_check = accounts
        self.facts = server.facts
        self.expiries = server.expiries
        self.require_new_name = accounts.require_new_name
        self.create_account = accounts.create
        self.change_account = accounts.change
        self.drop_account = accounts.drop
        self.account = accounts.find
        self.identify = accounts.identify
        self.accounts = accounts.all
        self.listing = Listing(server)
        self.states = States(server, accounts)
        self.databases = databases.all
        self.create_database = databases.create
        self.drop_database = databases.drop
        self.close = connections.close

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(self._flavor.make_hash(password.reveal()))

    def canonical_host(self, host: str) -> str:
        return names.host(host)
