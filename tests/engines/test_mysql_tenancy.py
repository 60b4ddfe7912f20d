"""Which accounts of a MariaDB server are tenants', whatever SQL has given them, alone and on pages of many."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from tests.refusals import refused

from rolecall.domain.engine import AccountChange
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

POWERFUL = (
    "GRANT SUPER ON *.* TO {name}",
    "GRANT SELECT ON *.* TO {name}",
    "GRANT PROCESS ON *.* TO {name}",
    "GRANT REPLICATION SLAVE ON *.* TO {name}",
    "GRANT SELECT ON mysql.* TO {name}",
    "GRANT ALL ON `rolecall_control`.* TO {name}",
    "GRANT ALL ON `%`.* TO {name}",
    # A11: roles of roles, roles with a system schema, and rights below a whole schema.
    (
        "CREATE ROLE {name}_i; GRANT SUPER ON *.* TO {name}_i; CREATE ROLE {name}_o; GRANT {name}_i TO {name}_o;"
        " GRANT {name}_o TO {name}"
    ),
    "CREATE ROLE {name}_r; GRANT SELECT, UPDATE ON mysql.* TO {name}_r; GRANT {name}_r TO {name}",
    "CREATE ROLE {name}_r; GRANT ALL ON `%`.* TO {name}_r; GRANT {name}_r TO {name}",
    "CREATE ROLE {name}_r; GRANT SELECT ON rolecall_control.accounts TO {name}_r; GRANT {name}_r TO {name}",
    "GRANT SELECT ON mysql.global_priv TO {name}",
    "GRANT SELECT (Priv) ON mysql.global_priv TO {name}",
    "GRANT EXECUTE ON PROCEDURE mysql.AddGeometryColumn TO {name}",
    "GRANT SELECT ON `mys%`.* TO {name}",
    "GRANT SELECT ON `performance_schema`.* TO {name}",
    "GRANT SELECT ON `rolecall%`.* TO {name}",
    "GRANT SELECT ON `%`.* TO {name}; GRANT LOCK TABLES ON mysql.* TO {name}",
    (
        "INSERT INTO mysql.proxies_priv (Host, User, Proxied_host, Proxied_user)"
        " VALUES ('%', '{name}', 'localhost', 'root')"
    ),
)

TENANTS = (
    r"GRANT ALL ON `user\_%`.* TO {name}",
    r"GRANT ALL ON `prisma_migrate_shadow_db%`.* TO {name} WITH GRANT OPTION",
    "CREATE ROLE {name}_r; GRANT SELECT ON `app%`.* TO {name}_r; GRANT {name}_r TO {name}",
    "GRANT SELECT ON `app_db`.* TO {name} WITH GRANT OPTION",
    "GRANT LOCK TABLES ON mysql.* TO {name}",
)


@pytest.mark.parametrize("more", POWERFUL)
async def test_an_account_that_others_gave_power_over_the_server_is_no_tenants(maria, unique, more):
    name = unique("power")
    await maria.engine.facts()  # makes the control schema, where no other test has
    await maria.sql(f"CREATE USER {name}", *more.replace("{name}", name).split("; "))
    (listed,) = [facts for facts in await maria.engine.accounts() if facts.name == name]
    assert listed.is_protected
    assert await maria.engine.account(name) == listed
    change = AccountChange(name, uuid4(), verifier=maria.engine.verifier(name, Secret("x")))
    assert await refused(maria.engine.change_account(change)) is Reason.ACCOUNT_PROTECTED
    assert await refused(maria.engine.drop_account(name, uuid4())) is Reason.ACCOUNT_PROTECTED
    assert (
        await refused(maria.engine.grants.change_grants(name, "", [], ["x"], uuid4()))
        is Reason.ACCOUNT_PROTECTED
    )


@pytest.mark.parametrize("more", TENANTS)
async def test_an_account_whose_pattern_reaches_no_system_schema_is_a_tenants(maria, unique, more):
    """A11: it disappeared; a hoster's own users have such patterns."""
    name = unique("pattern")
    await maria.sql(f"CREATE USER {name}", *more.replace("{name}", name).split("; "))
    (listed,) = [facts for facts in await maria.engine.accounts() if facts.name == name]
    assert not listed.is_protected
    change = AccountChange(name, uuid4(), verifier=maria.engine.verifier(name, Secret("Wh4t-ever")))
    await maria.engine.change_account(change)
    assert await maria.can_log_in(name, "Wh4t-ever")
    assert await maria.engine.drop_account(name, uuid4())


ODD_NAMES = ("{of}", "{powerful}", "o'connor", 'd"quote', "back\\slash", "per%cent", "käte")
STATES = (
    "ACCOUNT LOCK",
    "PASSWORD EXPIRE",
    "REQUIRE SSL",
    "REQUIRE X509",
    "REQUIRE SUBJECT '/CN=client'",
    "WITH MAX_USER_CONNECTIONS 3",
    "IDENTIFIED VIA unix_socket",
    "IDENTIFIED VIA mysql_native_password USING PASSWORD('x') OR unix_socket",
)
"""Of `ALTER USER`."""


async def test_a_page_of_states_says_of_each_account_what_a_look_at_it_says(maria):
    """Pages, some accounts and one are asked for by different conditions, pages and one by different queries."""
    start, power = f"page{secrets.token_hex(4)}", []
    statements = []
    for number, more in enumerate((*POWERFUL, *TENANTS)):
        name = f"{start}_{number}"
        power += [name] * (number < len(POWERFUL))
        statements += [f"CREATE USER {name}", *more.replace("{name}", name).split("; ")]
    for number, state in enumerate(STATES):
        name = f"{start}_state{number}"
        statements += [f"CREATE USER {name} IDENTIFIED BY 'Corr3ct-horse'", f"ALTER USER {name} {state}"]
    for name in ODD_NAMES:
        text = (start + name).replace("\\", "\\\\").replace("'", "\\'")
        statements += [f"CREATE USER '{text}'", f"GRANT SELECT ON mysql.* TO '{text}'"]
        power.append(start + name)
    several, role = f"{start}_several", f"{start}_role"
    statements += [
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON mysql.user TO {role}",
        f"CREATE ROLE {role}_of_roles",
        f"GRANT {role} TO {role}_of_roles",
    ]
    for host, more in {
        "%": f"GRANT {role}_of_roles TO {{account}} WITH ADMIN OPTION",
        "10.0.0.1": "GRANT SELECT ON `d_b`.* TO {account}",
        "10.0.0.2": "GRANT SUPER ON *.* TO {account}",
        "10.0.0.3": "GRANT INSERT (User) ON mysql.global_priv TO {account}",
        "10.0.0.4": "GRANT SELECT ON `%`.* TO {account}",
    }.items():
        account = f"'{several}'@'{host}'"
        statements += [f"CREATE USER {account}", more.replace("{account}", account)]
    await maria.engine.facts()  # makes the control schema, where no other test has
    await maria.sql(*statements)

    states = maria.engine.states
    for limit in (17, 200):
        found, after = {}, None
        while page := await states.page(after, limit):
            after = page[-1].facts.name, page[-1].facts.host
            found |= {
                (each.facts.name, each.facts.host): each for each in page if each.facts.name.startswith(start)
            }
        assert len(found) == len(POWERFUL) + len(TENANTS) + len(STATES) + len(ODD_NAMES) + 5
        alone = {place: await maria.engine.account(*place) for place in found}
        assert {place: each.facts for place, each in found.items()} == alone
        assert sorted(await states.at(list(found)), key=str) == sorted(found.values(), key=str)
    protected = {place for place, facts in alone.items() if facts.is_protected}
    assert protected == {(name, "%") for name in power} | {
        (several, host) for host in ("%", "10.0.0.2", "10.0.0.3", "10.0.0.4")
    }
    assert found[several, "%"].state.memberships == {f"{role}_of_roles": "inherit, admin"}
