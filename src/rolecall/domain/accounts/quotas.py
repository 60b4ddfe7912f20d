"""Whether a server has room for one more account, where a quota applies."""

from __future__ import annotations

from collections.abc import Collection

from rolecall.domain.engine.pages import AccountListing, AccountPlace, AccountSlice, display_name


async def has_room(
    listing: AccountListing, ahead: Collection[AccountPlace], place: AccountPlace, quota: int
) -> bool:
    """Whether there are fewer than `quota` accounts, with those that are being made `ahead`, besides protected ones and
    that at `place`; and always if the server has an account at `place`.

    Accounts are counted by the server, and read only if there may be too many: as many as the quota allows, or more
    by those that are protected.
    """
    others = set(ahead) - {place}
    counted = await listing.page(AccountSlice(0))  # protected accounts are among them
    if counted.total + len(others) < quota:
        return True
    asked = AccountSlice(quota)
    while len(others) < quota:
        items = (await listing.page(asked)).items
        others |= {(account.name, account.host) for account in items if not account.is_protected} - {place}
        if len(items) < quota:
            break
        asked = AccountSlice(quota, display_name(items[-1].name, items[-1].host))
    return len(others) < quota or bool(await listing.at([place]))
