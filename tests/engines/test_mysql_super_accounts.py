"""A super account rules every tenant's database, and none of the known ways leads from it to the server itself.

docs/mysql.md explains each.
"""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest
from asyncmy.errors import MySQLError

from rolecall.domain.engine import Access, AccountChange, AccountKind, DatabaseGrant, NewDatabase

DENIED = {
    1044,  # access to the database denied
    1045,  # access denied
    1142,  # command denied on the table
    1143,  # command denied on the column
    1227,  # needs a global privilege
    1370,  # command denied on the routine
    1095,  # not the owner of the thread
    1698,  # access denied, for the server itself
    1465,  # triggers can not be created on system tables
    1959,  # no such role, or not granted
    1094,  # a session that it cannot even see
}


async def run(connection, *statements):
    async with connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        return list(await cursor.fetchall()) if cursor.description else []


@pytest.fixture
async def cast(maria, make, unique):
    """A super account with a session, another, and a tenant with a table."""
    database = unique("tenants")
    await maria.engine.create_database(NewDatabase(database, "", uuid4()))
    grant = DatabaseGrant(database, Access.READ_WRITE)
    people = SimpleNamespace(database=database, password=make.PASSWORD)
    people.tenant = (await make(maria.engine, grants=(grant,))).name
    people.boss = (await make(maria.engine, kind=AccountKind.SUPER)).name
    people.peer = (await make(maria.engine, kind=AccountKind.SUPER)).name
    await maria.sql(
        "CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)",
        user=people.tenant, password=people.password, database=database,
    )  # fmt: skip
    people.session = await maria.connect(people.boss, people.password, database)
    yield people
    await people.session.ensure_closed()


async def test_it_reads_writes_alters_and_drops_what_tenants_made(cast):
    assert await run(cast.session, "SELECT id FROM t") == [(1,)]
    await run(
        cast.session,
        "INSERT INTO t VALUES (2)",
        "ALTER TABLE t ADD COLUMN more TEXT",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE PROCEDURE p() SELECT 1",
        "CALL p()",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.more = 'x'",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "DROP TABLE t",
    )


async def test_it_makes_and_drops_databases_and_rules_those_made_later(cast, maria, unique):
    own, later = unique("own"), unique("later")
    await run(
        cast.session, f"CREATE DATABASE {own}", f"CREATE TABLE {own}.x (id INT)", f"DROP DATABASE {own}"
    )
    await maria.engine.create_database(NewDatabase(later, "", uuid4()))
    await run(cast.session, f"CREATE TABLE {later}.x (id INT)", f"INSERT INTO {later}.x VALUES (1)")


async def test_it_sees_neither_the_control_schema_nor_what_others_run(cast, maria):
    schemas = {row[0] for row in await run(cast.session, "SHOW DATABASES")}
    assert cast.database in schemas
    tables = await run(
        cast.session,
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'rolecall_control'",
    )
    columns = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'rolecall_control'"
    assert (tables, await run(cast.session, columns)) == ([], [])
    users = {row[1] for row in await run(cast.session, "SHOW PROCESSLIST")}
    assert users == {cast.boss}


async def test_a_tenant_sees_its_own_databases_alone(cast, maria):
    rows = await maria.sql("SHOW DATABASES", user=cast.tenant, password=cast.password)
    assert {row[0] for row in rows} == {"information_schema", cast.database}


ESCALATIONS = {
    "read password hashes": "SELECT authentication_string FROM mysql.user",
    "read the accounts' table": "SELECT Priv FROM mysql.global_priv",
    "read other grants": "SELECT * FROM mysql.db",
    "count the accounts": "SELECT COUNT(*) FROM mysql.global_priv",
    "write the accounts' table": "UPDATE mysql.global_priv SET Priv = '{}' WHERE User = '{boss}'",
    "insert an administrator": "INSERT INTO mysql.global_priv VALUES ('%', 'x', '{}')",
    "insert a grant": "INSERT INTO mysql.db (Host, Db, User) VALUES ('%', '%', '{tenant}')",
    "delete its narrow row": "DELETE FROM mysql.db WHERE User = '{boss}'",
    "replace a grant": "REPLACE INTO mysql.db (Host, Db, User) VALUES ('%', 'mysql', '{boss}')",
    "drop the accounts": "DROP TABLE mysql.global_priv",
    "rename the accounts": "RENAME TABLE mysql.global_priv TO {database}.stolen",
    "alter the accounts": "ALTER TABLE mysql.global_priv ADD COLUMN x INT",
    "truncate the grants": "TRUNCATE TABLE mysql.db",
    "lock the accounts": "LOCK TABLES mysql.global_priv WRITE",
    "a trigger on the accounts": "CREATE TRIGGER mysql.x BEFORE INSERT ON mysql.db FOR EACH ROW SET @a = 1",
    "a view in the system schema": "CREATE VIEW mysql.x AS SELECT 1",
    "a view over the accounts": "CREATE VIEW x AS SELECT * FROM mysql.global_priv",
    "a table like the accounts": "CREATE TABLE x LIKE mysql.global_priv",
    "a copy of the accounts": "CREATE TABLE x AS SELECT * FROM mysql.global_priv",
    "a function in C": "INSERT INTO mysql.func VALUES ('x', 0, 'x.so', 'function')",
    "a loadable function": "CREATE FUNCTION escalation RETURNS INTEGER SONAME 'x.so'",
    "a plugin": "INSTALL SONAME 'ha_federatedx'",
    "a server for federated tables": "CREATE SERVER x FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
    "drop the system schema": "DROP DATABASE mysql",
    "drop the sys schema": "DROP DATABASE sys",
    "drop a view of sys": "DROP VIEW sys.version",
    "replace a view of sys": "CREATE OR REPLACE VIEW sys.version AS SELECT 1",
    "a procedure of sys that runs as another": "CALL sys.ps_setup_enable_instrument('x')",
    "read what runs": "SELECT * FROM performance_schema.threads",
    "read what was run": "SELECT * FROM performance_schema.events_statements_history",
    "read the control schema": "SELECT * FROM rolecall_control.accounts",
    "write the control schema": "UPDATE rolecall_control.accounts SET done = ''",
    "drop the control schema": "DROP DATABASE rolecall_control",
    "a table in the control schema": "CREATE TABLE rolecall_control.x (id INT)",
    "a database beside it, by pattern": "CREATE TABLE `rolecall_control`.`x` LIKE {database}.t",
    "make an account": "CREATE USER x_escalation",
    "make a role": "CREATE ROLE x_escalation",
    "drop a tenant": "DROP USER '{tenant}'@'%'",
    "drop a peer": "DROP USER '{peer}'@'%'",
    "rename a tenant": "RENAME USER '{tenant}'@'%' TO 'x_escalation'@'%'",
    "a tenant's password": "SET PASSWORD FOR '{tenant}'@'%' = PASSWORD('x')",
    "the administrator's password": "SET PASSWORD FOR 'root'@'localhost' = PASSWORD('x')",
    "unlock a tenant": "ALTER USER '{tenant}'@'%' ACCOUNT UNLOCK",
    "grant what it holds": "GRANT SELECT ON {database}.* TO '{tenant}'@'%'",
    "grant the pattern": "GRANT SELECT ON `%`.* TO '{tenant}'@'%'",
    "grant the system schema": "GRANT SELECT ON mysql.* TO '{boss}'@'%'",
    "grant everything": "GRANT ALL ON *.* TO '{boss}'@'%'",
    "grant itself the option": "GRANT GRANT OPTION ON {database}.* TO '{boss}'@'%'",
    "a grant that makes an account": "GRANT SELECT ON {database}.* TO x_escalation IDENTIFIED BY 'x'",
    "revoke from a tenant": "REVOKE ALL ON {database}.* FROM '{tenant}'@'%'",
    "revoke its narrow row": "REVOKE SHOW VIEW ON mysql.* FROM '{boss}'@'%'",
    "be somebody else's proxy": "GRANT PROXY ON 'root'@'localhost' TO '{boss}'@'%'",
    "read a file": "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
    "write a file": "SELECT 1 INTO OUTFILE '/tmp/rolecall-escalation'",
    "write a binary file": "SELECT 1 INTO DUMPFILE '/tmp/rolecall-escalation'",
    "shut the server down": "SHUTDOWN",
    "end the administrator's session": "KILL {administrator}",
    "set a global": "SET GLOBAL general_log = ON",
    "set where the log goes": "SET GLOBAL general_log_file = '/tmp/x_escalation'",
    "run before each login": "SET GLOBAL init_connect = 'GRANT ALL ON *.* TO {boss}'",
    "silence the log": "SET SESSION sql_log_off = 1",
    "silence the binary log": "SET SESSION sql_log_bin = 0",
    "reload grants": "FLUSH PRIVILEGES",
    "flush tables": "FLUSH TABLES WITH READ LOCK",
    "see the binary logs": "SHOW BINARY LOGS",
    "change replication": "CHANGE MASTER TO MASTER_HOST = '127.0.0.1'",
    "see replication": "SHOW SLAVE STATUS",
    "see how to make another account": "SHOW CREATE USER 'root'@'localhost'",
    "see another's grants": "SHOW GRANTS FOR 'root'@'localhost'",
    "a view as the administrator": "CREATE DEFINER = 'root'@'localhost' VIEW x AS SELECT * FROM mysql.global_priv",
    "a view as a tenant": "CREATE DEFINER = '{tenant}'@'%' VIEW x AS SELECT 1",
    "a procedure as the administrator": "CREATE DEFINER = 'root'@'127.0.0.1' PROCEDURE x() DELETE FROM mysql.db",
    "a trigger as the administrator":
        "CREATE DEFINER = 'root'@'127.0.0.1' TRIGGER x BEFORE INSERT ON t FOR EACH ROW DELETE FROM mysql.db",
    "an event as the administrator":
        "CREATE DEFINER = 'root'@'127.0.0.1' EVENT x ON SCHEDULE EVERY 1 SECOND DO DELETE FROM mysql.db",
    "an event in the system schema": "CREATE EVENT mysql.x ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
    "a procedure in the system schema": "CREATE PROCEDURE mysql.x() SELECT 1",
    "a role it was not given": "SET ROLE 'mariadb.sys'",
}  # fmt: skip


@pytest.mark.parametrize("way", ESCALATIONS)
async def test_no_known_way_leads_further(cast, maria, way):
    root = await maria.connect()
    statement = ESCALATIONS[way]
    for word, value in {**vars(cast), "administrator": root.thread_id()}.items():
        statement = statement.replace("{" + word + "}", str(value))
    try:
        with pytest.raises(MySQLError) as caught:
            await run(cast.session, statement)
        assert caught.value.args[0] in DENIED, caught.value.args
        assert await run(root, "SELECT 1") == [(1,)]
    finally:
        await root.ensure_closed()


async def test_a_view_of_its_own_over_the_accounts_shows_nothing_through_a_tenant(cast, maria):
    """A view runs as its definer, and the definer may not read the system schema."""
    with pytest.raises(MySQLError):
        await run(cast.session, "CREATE SQL SECURITY DEFINER VIEW x AS SELECT * FROM mysql.user")
    await run(cast.session, "CREATE PROCEDURE q() SELECT COUNT(*) FROM mysql.global_priv")
    for user in (cast.boss, cast.tenant):
        with pytest.raises(MySQLError, match="denied"):
            await maria.sql("CALL q()", user=user, password=cast.password, database=cast.database)


async def test_nothing_of_the_super_account_is_left_when_it_becomes_a_normal_one(cast, maria):
    await maria.engine.change_account(AccountChange(cast.boss, uuid4(), kind=AccountKind.NORMAL))
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.db WHERE User = '{cast.boss}'") == [(0,)]
    with pytest.raises(MySQLError):  # and its session ended
        await run(cast.session, "SELECT 1")
    with pytest.raises(MySQLError, match="denied"):
        await maria.sql("SELECT * FROM t", user=cast.boss, password=cast.password, database=cast.database)


async def test_it_ends_nobodys_sessions_but_its_own(cast, maria):
    """MariaDB takes KILL USER from everybody and passes over the sessions of others."""
    tenant = await maria.connect(cast.tenant, cast.password, cast.database)
    try:
        await run(cast.session, f"KILL USER '{cast.tenant}'")
        with pytest.raises(MySQLError):
            await run(cast.session, f"KILL {tenant.thread_id()}")
        assert await run(tenant, "SELECT id FROM t") == [(1,)]
    finally:
        await tenant.ensure_closed()


async def test_it_puts_no_table_elsewhere_on_the_disk(cast, maria, tmp_path):
    tmp_path.chmod(0o777)
    for engine in ("MyISAM", "Aria", "InnoDB"):
        await run(
            cast.session, f"CREATE TABLE x_{engine} (id INT) ENGINE={engine} DATA DIRECTORY='{tmp_path}'"
        )
    assert list(tmp_path.iterdir()) == []


async def test_it_holds_no_global_privilege(cast, maria):
    rows = await maria.sql(f"SHOW GRANTS FOR '{cast.boss}'@'%'")
    on_all = [row[0] for row in rows if " ON *.* " in row[0]]
    assert len(on_all) == 1
    assert on_all[0].startswith("GRANT USAGE ON *.*")
