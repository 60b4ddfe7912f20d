"""Sub-users on a store of their own: quotas, passwords under rules, signing in, keys, groups, tags."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import store_admin
from tests.waiting import reached

from rolecall.domain.access.keys import Keys, Owner
from rolecall.domain.bus import Bus
from rolecall.domain.iam import commands as c
from rolecall.domain.iam import tag_commands as t
from rolecall.domain.iam.groups import GroupQuotas, Groups
from rolecall.domain.iam.password_rules import CLASSES, PasswordRules, generated_password
from rolecall.domain.iam.sub_users import Quotas
from rolecall.domain.iam.wiring import Iam, build
from rolecall.domain.messages import Command
from rolecall.domain.policy.presets import Presets
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret

RIGHT, NEXT, WRONG = Secret("Right-Horse-42"), Secret("Next-Horse-43"), Secret("Wrong-Horse-41")


class OwnersOnly:
    """Permits owners everything and others nothing."""

    async def permit(self, caller: Caller, ask: PolicyRequest) -> None:
        if not caller.is_owner:
            raise Refused(
                Reason.NOT_PERMITTED, facts={"operation": ask.operation, "resource": ask.resources[0]}
            )


@dataclass
class World:
    """A store with one owner, and what is done in its name."""

    store: Store
    iam: Iam
    keys: Keys
    owner: Owner
    sql: Callable[..., Awaitable[list[tuple[Any, ...]]]]
    u: str = field(default_factory=lambda: f"u{secrets.token_hex(6)}")
    """A name that no other owner on the database has: names sign in where they are the only ones."""

    @property
    def caller(self) -> Caller:
        return Caller(self.owner.id, self.owner.number, self.owner.app_id, self.owner.number, "AKIDowner")

    async def do(self, command: Command, caller: Caller | None = None) -> Any:
        origin = Origin(caller or self.caller, "d", "A", "r")
        return await Bus(self.iam.handlers).execute(command, origin)

    async def reason(self, command: Command, caller: Caller | None = None) -> Reason:
        with pytest.raises(Refused) as refused:
            await self.do(command, caller)
        return refused.value.reason

    async def add(self, name: str = "", **how: Any) -> Any:
        return await self.do(c.AddSubUser(name or secrets.token_hex(6), **how))

    def as_user(self, number: int) -> Caller:
        return replace(self.caller, principal=number)

    async def signs_in(self, name: str, password: Secret) -> bool:
        try:
            await self.iam.sign_in.sign_in(name, password)
        except Refused as refused:
            if refused.reason is Reason.CREDENTIALS_INVALID and refused.facts == {}:
                return False
            raise
        return True


@pytest.fixture(scope="module")
def dsn(rolecall: Any) -> Secret:
    """A database of its own on the run's store server."""
    server = store_admin(rolecall.data)
    database = f"people_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    return Secret(make_conninfo(server, dbname=database))


@pytest.fixture
async def make(dsn: Secret) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """Makes worlds on one database, each with an owner of its own."""
    passwords = Passwords(2, 100)
    stores: list[Store] = []

    async def world(**quotas: Any) -> World:
        store = Store(dsn, pool_size=4)
        await store.open()
        stores.append(store)
        sealer = Sealer(parse_master_keys(new_master_key()))
        iam = build(store, passwords, sealer, OwnersOnly(), Presets(()), Quotas(**quotas), Secret("house"))
        keys = Keys(store.keys, sealer)
        owner = await keys.create_owner()

        async def sql(query: str, *values: Any) -> list[tuple[Any, ...]]:
            options = "-c search_path=rolecall"
            async with await psycopg.AsyncConnection.connect(
                dsn.reveal(), autocommit=True, options=options
            ) as one:
                cursor = await one.execute(query.encode(), values)
                return await cursor.fetchall() if cursor.description else []

        return World(store, iam, keys, owner, sql)

    yield world
    for store in stores:
        await store.close()
    passwords.close()


@pytest.fixture
async def world(make: Any) -> World:
    return await make()


# making and deleting


async def test_a_change_and_its_record_are_there_together(world: World) -> None:
    added = await world.add("clerk", console_login=True, mint_key=True, password=RIGHT)
    await world.do(c.ChangeSubUser("clerk", remark="new"))
    await world.do(c.DeleteSubUser("clerk", PolicyRequest("x", ("*",), {})))
    rows = await world.sql(
        "select kind, target, state, detail from operations where owner_id = %s order by accepted_at",
        world.owner.id,
    )
    assert [row[:3] for row in rows] == [
        ("sub-user.create", "clerk", "recorded"),
        ("sub-user.update", "clerk", "recorded"),
        ("sub-user.delete", "clerk", "recorded"),
    ]
    assert rows[0][3] == {"console_login": True, "access_key": added.key.id}
    everything = json.dumps(rows)
    assert RIGHT.reveal() not in everything
    assert added.key.secret.reveal() not in everything


async def test_the_quota_holds_for_all_who_come_at_once(make: Any) -> None:
    world = await make(sub_users=3)
    done = await asyncio.gather(*(world.add() for _ in range(8)), return_exceptions=True)
    refused = [one.reason for one in done if isinstance(one, Refused)]
    assert refused == [Reason.SUB_USER_QUOTA] * 5
    assert len(await world.do(c.ListSubUsers())) == 3


async def test_making_and_deleting_again_does_not_get_around_the_rate(make: Any) -> None:
    world = await make(made_in_a_minute=2)
    for name in ("one", "two"):
        await world.add(name)
        await world.do(c.DeleteSubUser(name))
    assert await world.reason(c.AddSubUser("three")) is Reason.SUB_USER_RATE
    await world.sql("update operations set accepted_at = accepted_at - interval '61 seconds'")
    await world.add("three")


async def test_of_two_who_want_a_name_at_once_one_gets_it(world: World) -> None:
    done = await asyncio.gather(*(world.add("same") for _ in range(4)), return_exceptions=True)
    assert [one.reason for one in done if isinstance(one, Refused)] == [Reason.SUB_USER_TAKEN] * 3


async def test_a_name_is_an_owners_own(make: Any) -> None:
    first, second = await make(), await make()
    await first.add("same", remark="first")
    await second.add("same", remark="second")
    assert (await second.do(c.ShowSubUser("same"))).remark == "second"
    await second.do(c.DeleteSubUser("same"))
    assert (await first.do(c.ShowSubUser("same"))).remark == "first"


async def test_who_has_keys_is_deleted_only_by_those_who_may_delete_keys(world: World) -> None:
    await world.add("keyed", mint_key=True)
    assert await world.reason(c.DeleteSubUser("keyed")) is Reason.SUB_USER_HAS_KEYS
    ask, stranger = PolicyRequest("x", ("*",), {}), world.as_user(1)
    assert await world.reason(c.DeleteSubUser("keyed", ask), stranger) is Reason.SUB_USER_KEYS_KEPT
    await world.do(c.DeleteSubUser("keyed", ask))
    assert await world.reason(c.ShowSubUser("keyed")) is Reason.SUB_USER_MISSING


async def test_what_belonged_to_a_sub_user_goes_with_it(world: World) -> None:
    added = await world.add("gone", mint_key=True, console_login=True, password=RIGHT)
    number = added.user.number
    group = await world.do(c.AddGroup("all"))
    await world.do(c.JoinGroups((c.Membership(group, c.SubUserRef(number)),)))
    await world.do(t.ChangeTags((t.TagPlace("s", "p", str(number)),), (("k", "v"),)))
    await world.do(c.DeleteSubUser("gone", PolicyRequest("x", ("*",), {}), ("s", "p")))
    assert await world.store.keys.key(added.key.id) is None
    assert (await world.do(c.PageMembers(group, 0, 10))).total == 0
    assert (await world.do(t.PageTags(t.TagQuery("s", "p", (str(number),)), 0, 10))).total == 0


# passwords


@pytest.mark.parametrize(
    "password", ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-digit-here", "NoSymbol1"]
)
async def test_a_password_that_breaks_the_rules_is_refused_and_nothing_is_made(
    world: World, password: str
) -> None:
    asked = c.AddSubUser("nobody", console_login=True, password=Secret(password))
    assert await world.reason(asked) is Reason.PASSWORD_BREAKS_RULES
    assert await world.reason(c.ShowSubUser("nobody")) is Reason.SUB_USER_MISSING


def test_made_passwords_have_32_characters_of_every_class_and_differ() -> None:
    made = [generated_password() for _ in range(50)]
    for password in made:
        assert len(password.reveal()) == 32
        assert all(pattern.search(password.reveal()) for pattern in CLASSES.values())
        PasswordRules(minimum_length=32).require_kept(password)
    assert len({password.reveal() for password in made}) == 50


async def test_an_owners_rules_hold_for_new_passwords(world: World) -> None:
    await world.do(c.ChangePasswordRules(minimum_length=10, must_contain=frozenset({"digit"})))
    view = await world.do(c.ShowPasswordRules())
    assert view.rules == PasswordRules(minimum_length=10, must_contain=frozenset({"digit"}))
    assert view.updated_by == world.owner.number
    await world.add(console_login=True, password=Secret("1234567890"))
    short = c.AddSubUser("x", console_login=True, password=Secret("123456789"))
    assert await world.reason(short) is Reason.PASSWORD_BREAKS_RULES


async def test_earlier_passwords_are_refused_as_often_as_the_rules_say(world: World) -> None:
    await world.do(c.ChangePasswordRules(reuse_limit=2))
    await world.add(world.u, console_login=True, password=RIGHT)
    assert await world.reason(c.ChangeSubUser(world.u, password=RIGHT)) is Reason.PASSWORD_BREAKS_RULES
    await world.do(c.ChangeSubUser(world.u, password=NEXT))
    assert await world.reason(c.ChangeSubUser(world.u, password=RIGHT)) is Reason.PASSWORD_BREAKS_RULES
    await world.do(c.ChangeSubUser(world.u, password=WRONG))
    await world.do(c.ChangeSubUser(world.u, password=RIGHT))
    assert await world.signs_in(world.u, RIGHT)


async def test_a_password_without_console_login_is_ignored(world: World) -> None:
    added = await world.add(world.u, password=Secret("x"))
    assert added.password is None
    await world.do(c.ChangeSubUser(world.u, password=RIGHT))
    assert not await world.signs_in(world.u, RIGHT)
    await world.do(c.ChangeSubUser(world.u, console_login=True, password=RIGHT))
    assert await world.signs_in(world.u, RIGHT)
    await world.do(c.ChangeSubUser(world.u, console_login=False))
    assert not await world.signs_in(world.u, RIGHT)


# signing in


async def test_only_the_right_password_of_a_name_signs_in(world: World) -> None:
    await world.add("clerk", console_login=True, password=RIGHT)
    assert await world.signs_in("clerk", RIGHT)
    for name, password in (("clerk", WRONG), ("stranger", RIGHT), ("clerk", Secret("x" * 2000)), ("", RIGHT)):
        assert not await world.signs_in(name, password)


async def test_a_name_that_two_owners_have_signs_nobody_in(make: Any) -> None:
    first, second = await make(), await make()
    await first.add("twin", console_login=True, password=RIGHT)
    assert await first.signs_in("twin", RIGHT)
    await second.add("twin", console_login=True, password=NEXT)
    assert not await first.signs_in("twin", RIGHT)


async def test_too_many_wrong_passwords_lock_out_for_an_hour_whoever_knocks(world: World) -> None:
    await world.do(c.ChangePasswordRules(retry_limit=3))
    user = (await world.add(world.u, console_login=True, password=RIGHT)).user
    for _ in range(2):
        assert not await world.signs_in(world.u, WRONG)
    assert await world.signs_in(world.u, RIGHT)  # which forgets the failures
    for _ in range(3):
        assert not await world.signs_in(world.u, WRONG)
    assert not await world.signs_in(world.u, RIGHT)
    until = await world.sql("select locked_until from sub_users where number = %s", user.number)
    assert not await world.signs_in(world.u, WRONG)
    assert await world.sql("select locked_until from sub_users where number = %s", user.number) == until
    await world.sql(
        "update sub_users set locked_until = now(), first_failed_at = now() - interval '61 minutes' where number = %s",
        user.number,
    )
    assert await world.signs_in(world.u, RIGHT)


async def test_a_new_password_opens_the_lock(world: World) -> None:
    await world.do(c.ChangePasswordRules(retry_limit=1))
    await world.add(world.u, console_login=True, password=RIGHT)
    assert not await world.signs_in(world.u, WRONG)
    assert not await world.signs_in(world.u, RIGHT)
    await world.do(c.ChangeSubUser(world.u, password=NEXT))
    assert await world.signs_in(world.u, NEXT)


async def admitted() -> None:
    """The door is open."""


async def shut_out() -> None:
    """Many guesses came at once, and the right one among them learns nothing (A18)."""
    raise Refused(Reason.RATE_EXCEEDED)


async def test_who_must_change_the_password_gets_no_token_before(world: World) -> None:
    sign_in = world.iam.sign_in
    added = await world.add(world.u, console_login=True, password=RIGHT, must_reset_password=True)
    assert not await world.signs_in(world.u, RIGHT)
    signed_in = await sign_in.at_console(world.owner.number, world.u, RIGHT, "192.0.2.7")
    assert signed_in.must_change
    origin = Origin(world.as_user(added.user.number), "d", "A", "r")
    for old, new, reason in (
        (WRONG, NEXT, Reason.CREDENTIALS_INVALID),
        (RIGHT, RIGHT, Reason.PASSWORD_BREAKS_RULES),
        (RIGHT, Secret("short"), Reason.PASSWORD_BREAKS_RULES),
    ):
        with pytest.raises(Refused) as refused:
            await sign_in.change_password(signed_in.user, old, new, origin, admitted)
        assert refused.value.reason is reason
    with pytest.raises(Refused):
        await sign_in.change_password(signed_in.user, RIGHT, NEXT, origin, shut_out)
    await sign_in.change_password(signed_in.user, RIGHT, NEXT, origin, admitted)
    assert await world.signs_in(world.u, NEXT)
    assert not (await sign_in.at_console(world.owner.number, world.u, NEXT, "192.0.2.7")).must_change


async def test_signing_in_at_the_console_is_noted_and_buying_a_token_is_not(world: World) -> None:
    await world.add(world.u, console_login=True, password=RIGHT)
    assert await world.signs_in(world.u, RIGHT)
    assert (await world.do(c.ShowSubUser(world.u))).last_login_at is None
    await world.iam.sign_in.at_console(world.owner.number, world.u, RIGHT, "192.0.2.7")
    user = await world.do(c.ShowSubUser(world.u))
    assert user.last_login_ip == "192.0.2.7"
    assert user.last_login_at is not None


@pytest.mark.parametrize("locked", [False, True])
async def test_an_old_password_must_be_changed_or_opens_nothing(world: World, locked: bool) -> None:
    await world.do(c.ChangePasswordRules(change_every_days=30, expired_is_locked=locked))
    user = (await world.add(world.u, console_login=True, password=RIGHT)).user
    assert not (await world.iam.sign_in.at_console(world.owner.number, world.u, RIGHT, "c")).must_change
    await world.sql(
        "update sub_users set password_changed_at = now() - interval '30 days' where number = %s", user.number
    )
    assert not await world.signs_in(world.u, RIGHT)
    if locked:
        with pytest.raises(Refused, match="credentials-invalid"):
            await world.iam.sign_in.at_console(world.owner.number, world.u, RIGHT, "c")
    else:
        assert (await world.iam.sign_in.at_console(world.owner.number, world.u, RIGHT, "c")).must_change


async def test_a_token_key_lives_until_the_password_changes_or_its_sub_user_goes(world: World) -> None:
    sign_in = world.iam.sign_in
    user = (await world.add(world.u, console_login=True, password=RIGHT)).user
    bought = await sign_in.sign_in(world.u, RIGHT)
    again = await sign_in.token_key(bought.key_id)
    assert again == bought
    assert bought.principal == user.number
    await world.do(c.ChangeSubUser(world.u, password=NEXT))
    changed = await sign_in.token_key(bought.key_id)
    assert changed is not None
    assert changed.secret != bought.secret
    await world.do(c.ChangeSubUser(world.u, must_reset_password=True))
    assert await sign_in.token_key(bought.key_id) is None, "it opens nothing until the password is changed"
    await world.do(c.ChangeSubUser(world.u, must_reset_password=False))
    assert await sign_in.token_key(bought.key_id) is not None
    await world.do(c.ChangeSubUser(world.u, console_login=False))
    assert await sign_in.token_key(bought.key_id) is None
    await world.do(c.DeleteSubUser(world.u))
    assert await sign_in.token_key(bought.key_id) is None


async def test_replicas_are_told_that_a_password_must_be_changed(world: World) -> None:
    await world.add(world.u, console_login=True, password=RIGHT)
    bought = await world.iam.sign_in.sign_in(world.u, RIGHT)
    await world.store.join()
    assert await world.iam.sign_in.token_key(bought.key_id) == bought
    remembered = world.store.sign_ins._subjects
    assert remembered.get(bought.principal) is not None
    await world.sql("update sub_users set remark = 'x' where number = %s", bought.principal)
    await world.sql("update sub_users set must_reset_password = true where number = %s", bought.principal)
    await reached(lambda: remembered.get(bought.principal) is None)
    assert await world.iam.sign_in.token_key(bought.key_id) is None


@pytest.mark.parametrize(
    "key_id", ["", "u", "sub-user:", "sub-user:x", "sub-user:-1", "sub-user:" + "9" * 30]
)
async def test_no_token_key_stands_behind_what_is_no_sub_users_key_id(world: World, key_id: str) -> None:
    assert await world.iam.sign_in.token_key(key_id) is None


# keys


async def test_a_principal_has_at_most_two_keys_however_many_ask_at_once(world: World) -> None:
    number = (await world.add()).user.number
    done = await asyncio.gather(*(world.do(c.CreateKey(number)) for _ in range(5)), return_exceptions=True)
    assert [one.reason for one in done if isinstance(one, Refused)] == [Reason.KEY_QUOTA] * 3
    assert len(await world.do(c.ListKeys(number))) == 2


async def test_whose_keys_are_meant(make: Any) -> None:
    world, other = await make(), await make()
    first, second = [(await world.add(mint_key=True)) for _ in range(2)]
    me = world.as_user(first.user.number)
    assert [key.id for key in await world.do(c.ListKeys(None), me)] == [first.key.id]
    assert await world.do(c.ListKeys(None)) == ()
    assert await world.reason(c.ListKeys(world.owner.number), me) is Reason.OWNER_PROTECTED
    assert await world.reason(c.ListKeys(first.user.number), other.caller) is Reason.SUB_USER_MISSING
    assert await world.reason(c.ListKeys(other.owner.number)) is Reason.SUB_USER_MISSING
    numbers = first.user.number, second.user.number
    assert await world.reason(c.DeleteKey(numbers[0], second.key.id)) is Reason.KEY_FOREIGN
    assert await world.reason(c.DeleteKey(numbers[0], "AKIDnone")) is Reason.KEY_MISSING
    assert await other.reason(c.DeleteKey(None, second.key.id)) is Reason.KEY_MISSING
    await world.do(c.DeleteKey(None, first.key.id), me)
    assert await world.do(c.ListKeys(numbers[0])) == ()


async def test_uses_of_keys_are_noted_in_memory_and_written_down_later(world: World) -> None:
    added = await world.add(mint_key=True)
    unused = await world.do(c.CreateKey(added.user.number))
    asked = c.ShowKeyUses((added.key.id, unused.id, "AKIDnone"))
    assert [use.used_at for use in await world.do(asked)] == [None, None]
    world.iam.uses.note(added.key.id, 1_700_000_000.5)
    world.iam.uses.note("AKIDgone", 1_700_000_000.0)
    assert await world.sql("select * from access_key_uses where key_id = %s", added.key.id) == []
    used, not_used = await world.do(asked)
    assert (used.key_id, used.used_at.timestamp()) == (added.key.id, 1_700_000_000.5)
    assert not_used.used_at is None
    world.iam.uses.note(added.key.id, 1_600_000_000.0)  # a replica that is late
    assert (await world.do(asked))[0] == used


async def test_what_could_not_be_written_stays_noted(world: World) -> None:
    added = await world.add(mint_key=True)
    world.iam.uses.note(added.key.id, 1_700_000_000.0)
    await world.sql("alter table access_key_uses rename to elsewhere")
    try:
        await world.iam.uses.settle()
    finally:
        await world.sql("alter table elsewhere rename to access_key_uses")
    assert (await world.do(c.ShowKeyUses((added.key.id,))))[0].used_at is not None


# groups and tags


async def test_groups_have_quotas(world: World) -> None:
    bus = Bus(
        Groups(world.store.groups, OwnersOnly(), GroupQuotas(groups=2, members=2, memberships=1)).handlers
    )

    async def do(command: Command) -> Any:
        return await bus.execute(command, Origin(world.caller, "d", "A", "r"))

    first, second = await do(c.AddGroup("one")), await do(c.AddGroup("two"))
    with pytest.raises(Refused, match="group-quota"):
        await do(c.AddGroup("three"))
    with pytest.raises(Refused, match="group-taken"):
        await do(c.ChangeGroup(second, name="one"))
    users = [c.SubUserRef(id=(await world.add()).user.id) for _ in range(3)]
    await do(c.JoinGroups((c.Membership(first, users[0]), c.Membership(first, users[1]))))
    await do(c.JoinGroups((c.Membership(first, users[0]),)))
    with pytest.raises(Refused, match="group-full"):
        await do(c.JoinGroups((c.Membership(second, users[2]), c.Membership(first, users[2]))))
    assert (await do(c.PageMembers(second, 0, 10))).total == 0, "all or none"
    with pytest.raises(Refused, match="membership-quota"):
        await do(c.JoinGroups((c.Membership(second, users[0]),)))
    await do(c.LeaveGroups((c.Membership(first, users[0]),)))
    await do(c.JoinGroups((c.Membership(second, users[0]),)))


async def test_members_named_by_id_are_asked_for_by_their_numbers(world: World) -> None:
    """The contract asks for those that are named by number: who may be in a group is never asked of the group alone."""
    group, user = await world.do(c.AddGroup("g")), (await world.add()).user
    by_id, by_number = (
        c.Membership(group, c.SubUserRef(id=user.id)),
        c.Membership(group, c.SubUserRef(user.number)),
    )
    clerk, place = world.as_user((await world.add()).user.number), "qcs::cam::uin/1:uin/"
    for command in (c.JoinGroups, c.LeaveGroups):
        ask = PolicyRequest("cam:Try", (place,), {})
        with pytest.raises(Refused) as refused:
            await world.do(command((by_number, by_id), ask), clerk)
        assert refused.value.facts == {"operation": "cam:Try", "resource": f"{place}{user.number}"}
        await world.do(command((by_number,), ask), clerk)
        await world.do(command((by_id,), ask))


async def test_numbers_and_names_of_one_thing_are_known_both_ways(make: Any) -> None:
    world, other = await make(), await make()
    user = (await world.add(world.u)).user
    policy, role = await world.sql(
        "with p as (insert into policies (owner_id, name, document) values (%s, 'p', '') returning id),"
        " r as (insert into roles (owner_id, name, trust) values (%s, 'r', '') returning id)"
        " select id from p union all select id from r",
        world.owner.id,
        world.owner.id,
    )
    known = world.store.policies.other_names
    for one, another in (
        (f"uin/{user.number}", f"name/{world.u}"),
        (f"policyid/{policy[0]}", "policyName/p"),
        (f"role/{role[0]}", "roleName/r"),
        ("uin/*", "name/*"),
    ):
        assert tuple(await known(world.owner.number, one)) == (another,)
        assert tuple(await known(world.owner.number, another)) == (one,)
    for stranger in (f"uin/{user.number}", "policyName/p", f"role/{role[0]}"):
        assert tuple(await known(other.owner.number, stranger)) == ()
    for nothing in (
        "uin/",
        "uin/x",
        "uin/\u0661",
        f"uin/0{user.number}",
        "role/" + "9" * 40,
        "groupid/1",
        "x",
    ):
        assert tuple(await known(world.owner.number, nothing)) == ()


async def test_a_group_of_another_owner_is_missing(make: Any) -> None:
    world, other = await make(), await make()
    group = await world.do(c.AddGroup("mine"))
    stranger = c.SubUserRef((await other.add()).user.number)
    for command in (c.ShowGroup(group), c.ChangeGroup(group, name="x"), c.DeleteGroup(group),
                    c.PageMembers(group, 0, 1), c.JoinGroups((c.Membership(group, stranger),))):  # fmt: skip
        assert await other.reason(command) is Reason.GROUP_MISSING
    joining = c.JoinGroups((c.Membership(group, stranger),))
    assert await world.reason(joining) is Reason.SUB_USER_MISSING


async def test_a_number_and_an_id_of_two_sub_users_name_nobody(world: World) -> None:
    first, second = (await world.add()).user, (await world.add()).user
    assert (await world.do(c.FindSubUser(c.SubUserRef(first.number, first.id)))).name == first.name
    assert await world.reason(c.FindSubUser(c.SubUserRef(first.number, second.id))) is Reason.SUB_USER_MISSING
    assert await world.reason(c.FindSubUser(c.SubUserRef())) is Reason.SUB_USER_UNNAMED


async def test_tags_are_put_on_replaced_and_taken_off_all_or_none(world: World) -> None:
    places = (t.TagPlace("s", "p", "r"),)
    await world.do(t.ChangeTags(places, (("a", "1"), ("b", "2"))))
    await world.do(t.ChangeTags(places, (("a", "3"),), ("b", "none")))
    page = await world.do(t.PageTags(t.TagQuery("s", "p", ("r", "other")), 0, 10))
    assert [(tag.key, tag.value) for tag in page.items] == [("a", "3")]
    many = tuple((f"k{n}", "v") for n in range(50))
    assert await world.reason(t.ChangeTags(places, many)) is Reason.TAG_QUOTA
    assert await world.reason(t.ChangeTags(places, take=("a", "none"), strict=True)) is Reason.TAG_UNATTACHED
    two = (*places, t.TagPlace("s", "p", "s"))
    assert (
        await world.reason(t.ChangeTags(two, (("a", "4"),), mode=t.TagMode.CHANGE)) is Reason.TAG_UNATTACHED
    )
    assert await world.reason(t.ChangeTags(two, (("a", "4"),), mode=t.TagMode.ADD)) is Reason.TAG_ATTACHED
    assert (await world.do(t.PageTags(t.TagQuery("s", "p"), 0, 10))).items == page.items
    assert await world.do(t.ChangeTags(two, many, apart=True)) == ((places[0], Reason.TAG_QUOTA),)
    assert (await world.do(t.PageTags(t.TagQuery("s", "p", ("s",)), 0, 10))).total == 50


async def test_a_pair_is_known_until_it_is_deleted_and_deleted_only_when_unused(world: World) -> None:
    place = (t.TagPlace("s", "p", "r"),)
    await world.do(t.ChangeTags(place, (("a", "1"),)))
    assert await world.reason(t.CreatePairs((("b", "1"), ("a", "1")))) is Reason.TAG_TAKEN
    assert (await world.do(t.PagePairs(None, 0, 10))).items == (t.KnownPair("a", "1", True),)
    assert await world.reason(t.DeletePairs((("a", "1"),))) is Reason.TAG_IN_USE
    await world.do(t.ChangeTags(place, take=("a",)))
    assert await world.reason(t.DeletePairs((("a", "1"), ("a", "2")))) is Reason.TAG_MISSING
    await world.do(t.DeletePairs((("a", "1"),)))
    assert (await world.do(t.PageKeys(0, 10))).total == 0


async def test_resources_are_found_by_all_or_by_one_of_their_tags(world: World) -> None:
    for resource, pairs in {"r1": (("a", "1"), ("b", "1")), "r2": (("a", "2"),), "r3": (("c", "1"),)}.items():
        await world.do(t.ChangeTags((t.TagPlace("s", "p", resource),), pairs))

    async def found(*filters: tuple[str, tuple[str, ...]], every: bool = True, offset: int = 0) -> list[str]:
        page = await world.do(t.PageTagged(t.TagQuery("s"), filters, every, offset, 10))
        return [each.place.resource for each in page.items]

    assert await found() == ["r1", "r2", "r3"]
    assert await found(offset=2) == ["r3"]
    assert await found(("a", ())) == ["r1", "r2"]
    assert await found(("a", ("1", "2")), ("b", ("1",))) == ["r1"]
    assert await found(("a", ("2",)), ("c", ()), every=False) == ["r2", "r3"]
    assert await found(("a", ("3",))) == []


async def test_another_owners_tags_are_out_of_reach(make: Any) -> None:
    world, other = await make(), await make()
    place = (t.TagPlace("s", "p", "r"),)
    await world.do(t.ChangeTags(place, (("a", "1"),)))
    assert (await other.do(t.PageTags(t.TagQuery(), 0, 10))).total == 0
    assert (await other.do(t.PageTagged(t.TagQuery(places=place), (), True, 0, 10))).total == 0
    assert await other.reason(t.DeletePairs((("a", "1"),))) is Reason.TAG_MISSING
    assert await other.reason(t.ChangeTags(place, take=("a",), strict=True)) is Reason.TAG_UNATTACHED


async def test_the_census_counts_what_is_there(world: World) -> None:
    user = (await world.add()).user
    group = await world.do(c.AddGroup("g"))
    await world.do(c.JoinGroups((c.Membership(group, c.SubUserRef(user.number)),)))
    census = await world.do(c.CountPeople())
    assert (census.sub_users, census.groups, census.members, census.policies, census.roles) == (1, 1, 1, 0, 0)
