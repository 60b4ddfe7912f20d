"""The engine suite, long lists: their parts are those of the whole list, in its order."""

from __future__ import annotations

from uuid import uuid4

from rolecall.domain.accounts.quotas import has_room
from rolecall.domain.engine import AccountKind, NewAccount
from rolecall.domain.engine.pages import AccountSlice, display_name
from rolecall.engines.memory import MemoryEngine

NAMES = ("b", "a", "a1", "A", "é", "a!", "a-b", "c'c", "a\\b")


def shown(facts):
    return display_name(facts.name, facts.host)


async def test_pages_forward_and_backward_are_the_whole_list(harness, make, unique):
    prefix = unique("long")
    for end in NAMES:
        await make(harness.engine, f"{prefix}{end}", password=None)
    listed = [account for account in await harness.engine.accounts() if prefix in account.name]
    whole = sorted(listed, key=shown)
    assert len(whole) == len(NAMES)
    listing = harness.engine.listing
    for size in (1, 4, len(NAMES), 50):
        forward, backward = [], []
        while True:
            start = shown(forward[-1]) if forward else ""
            page = await listing.page(AccountSlice(size, start, contains=prefix))
            assert (page.total, page.beyond) == (len(whole), len(whole) - len(forward))
            if not page.items:
                break
            forward += page.items
        while True:
            start = shown(backward[0]) if backward else ""
            page = await listing.page(AccountSlice(size, start, is_backward=True, contains=prefix))
            assert page.beyond == len(whole) - len(backward)
            if not page.items:
                break
            backward = [*page.items, *backward]
        assert forward == backward == whole
    assert (await listing.page(AccountSlice(0, contains=prefix))).items == ()


async def test_accounts_are_looked_up_by_their_places_and_all_places_are_listed(harness, make, unique):
    prefix = unique("places")
    made = [await make(harness.engine, f"{prefix}{end}", password=None) for end in NAMES]
    listing = harness.engine.listing
    places = [(account.name, account.host) for account in made]
    nowhere = [
        (unique("none"), made[0].host),
        (made[0].name, "10.9.8.7"),
        ("a\0b", made[0].host),
        ("x" * 200, ""),
    ]
    found = await listing.at([*places[2:], *nowhere])
    assert sorted(found, key=shown) == sorted(made[2:], key=shown)
    assert list(await listing.at([])) == []
    every = await listing.places()
    assert [place.place for place in every] == sorted(
        (place.place for place in every), key=lambda place: display_name(*place)
    )
    identities = {place.place: place.identity for place in every}
    assert {place: identities[place] for place in places} == {
        (account.name, account.host): account.identity for account in made
    }
    assert identities.keys() == {(account.name, account.host) for account in await harness.engine.accounts()}


async def test_a_text_that_no_name_has_finds_nothing(harness):
    for text in ("a\0b", "\ud800", "no such account", "%", "_' OR ''='"):
        page = await harness.engine.listing.page(AccountSlice(10, contains=f"nothing {text}"))
        assert (page.items, page.total, page.beyond) == ((), 0, 0)
    page = await harness.engine.listing.page(AccountSlice(10, start="a\0b"))
    assert page.items == ()


async def test_the_administrator_and_the_servers_own_roles_are_in_no_part(harness):
    listing = harness.engine.listing
    hidden = {name for name in harness.protected if name != "Root"}
    every = {place.name for place in await listing.places()}
    page = {account.name for account in (await listing.page(AccountSlice(100_000))).items}
    assert not hidden & (every | page)
    assert every == page


async def test_room_within_a_quota_is_what_all_accounts_say(harness, make, unique):
    prefix = unique("room")
    made = [await make(harness.engine, f"{prefix}{end}", password=None) for end in ("a", "b", "c")]
    held = {(each.name, each.host) for each in await harness.engine.accounts() if not each.is_protected}
    new, there = (f"{prefix}new", made[0].host), (made[0].name, made[0].host)
    ahead = {(f"{prefix}ahead", made[0].host), there, new}  # of which the first alone is one more
    listing = harness.engine.listing
    for quota in (1, 2, len(held) - 1, len(held), len(held) + 1, len(held) + 2, len(held) + 100):
        assert await has_room(listing, (), new, quota) == (len(held) < quota), quota
        assert await has_room(listing, ahead, new, quota) == (len(held) + 1 < quota), quota
        assert await has_room(listing, ahead, there, quota), quota


async def test_protected_accounts_have_no_part_in_a_quota():
    engine = MemoryEngine()
    for number in range(5):
        await engine.create_account(NewAccount(f"a{number}", AccountKind.NORMAL, None, uuid4()))
        engine.protect(f"a{number}")
    await engine.create_account(NewAccount("z", AccountKind.NORMAL, None, uuid4()))
    assert await has_room(engine.listing, (), ("new", ""), 2)
    assert not await has_room(engine.listing, (), ("new", ""), 1)
