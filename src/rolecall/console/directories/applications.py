"""Applications of a user store, for the owner, as `rolecall application` registers and deletes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from rolecall.console import pages
from rolecall.console.changes import Input, Shown
from rolecall.console.directories.addresses import SECTION, STORE, store_page
from rolecall.console.directories.pages import explained, in_store
from rolecall.console.directories.reading import DirectoryReader
from rolecall.console.owners import (
    Changed,
    OwnersChange,
    OwnersChangeRefused,
    OwnersChanges,
    always,
)
from rolecall.console.visits import Page, Visit
from rolecall.domain.directories.applications import ApplicationRefused, check, register
from rolecall.domain.directories.colours import DEFAULT
from rolecall.domain.directories.provider import Application, ApplicationRepository, SigningKey
from rolecall.domain.instances.examination import Finding
from rolecall.domain.operations.audit import Audit
from rolecall.values import Reply

_SHOWN = 50
_HOME = f"{STORE}/applications"
_ONE = f"{_HOME}/{{application}}"

_INPUTS = always(
    Input("name", "name", required=True),
    Input("redirect_uris", "dir_redirect_uris", "area", hint="dir_uris_hint", required=True),
    Input("logout_uris", "dir_logout_uris", "area", hint="dir_uris_hint"),
    Input("public", "dir_public", "box", hint="dir_public_hint"),
    Input("password_grant", "dir_password_grant", "box", hint="dir_password_grant_hint"),
)


class KeyRotation(Protocol):
    """`rolecall.domain.directories.signing_keys.SigningKeys`."""

    async def rotate(self, store_id: UUID, now: datetime) -> SigningKey: ...


class ApplicationPages:
    def __init__(
        self,
        reader: DirectoryReader,
        applications: ApplicationRepository,
        keys: KeyRotation,
        audit: Audit,
    ) -> None:
        self._reader = reader
        self._applications = applications
        self._keys = keys
        changes = (
            OwnersChange(
                f"{_HOME}/new",
                SECTION,
                "dir_application_new",
                "application add",
                self._register,
                self._store_facts,
                _back,
                _INPUTS,
                _check,
                lambda visit: {
                    "store": visit.path["store"],
                    "password_grant": bool(visit.posted["password_grant"]),
                },
            ),
            OwnersChange(
                f"{_HOME}/rotate-key",
                SECTION,
                "dir_rotate_key",
                "application rotate-key",
                self._rotate,
                self._store_facts,
                _back,
                detail=lambda visit: {"store": visit.path["store"]},
            ),
            OwnersChange(
                f"{_ONE}/delete",
                SECTION,
                "dir_application_delete",
                "application delete",
                self._delete,
                self._facts,
                _back,
                danger=True,
            ),
            *(
                OwnersChange(
                    f"{_ONE}/{word}",
                    SECTION,
                    f"dir_{word.replace('-', '_')}",
                    "application set",
                    self._allow if allowed else self._forbid,
                    self._facts,
                    _back,
                    detail=lambda _, allowed=allowed: {"password_grant": allowed},  # type: ignore[misc]
                )
                for word, allowed in (("allow-passwords", True), ("forbid-passwords", False))
            ),
        )
        self.pages = (Page(_HOME, explained(self._list)), *OwnersChanges(audit, changes).pages)

    async def _list(self, visit: Visit) -> Reply:
        if not visit.visitor.caller.is_owner:
            message = visit.text("only_the_owner")
            return pages.page(visit, "error.html", section=SECTION, status=403, message=message)
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        offset = pages.offset(visit)
        found = await self._applications.applications(store.id)
        return in_store(
            visit,
            store,
            "applications",
            "directory_applications.html",
            applications=found[offset : offset + _SHOWN],
            colour=store.colour or DEFAULT,
            pager=pages.Pager(visit, offset, _SHOWN, len(found)),
        )

    async def _store_facts(self, visit: Visit) -> dict[str, str] | None:
        store = await self._reader.store(visit)
        return None if store is None else {"store": store.name, "name": visit.posted["name"]}

    async def _facts(self, visit: Visit) -> dict[str, str] | None:
        found = await self._found(visit)
        return None if found is None else {"name": found.name}

    async def _found(self, visit: Visit) -> Application | None:
        """The application of the address, if it is in the store of the address, and that one the visitor's."""
        store = await self._reader.store(visit)
        found = await self._applications.application(visit.path["application"])
        return found if store is not None and found is not None and found.store_id == store.id else None

    async def _register(self, visit: Visit) -> Changed:
        posted = visit.posted
        try:
            application, secret = await register(
                self._applications,
                UUID(visit.path["store"]),
                posted["name"],
                _lines(posted["redirect_uris"]),
                logout_uris=_lines(posted["logout_uris"]),
                public=bool(posted["public"]),
                password_grant=bool(posted["password_grant"]),
            )
        except ApplicationRefused as refused:
            raise OwnersChangeRefused(str(refused)) from None
        shown = [Shown("dir_client_id", application.id)]
        if secret is not None:
            shown.append(Shown("dir_client_secret", secret.reveal()))
        return Changed(application.id, shown)

    async def _rotate(self, visit: Visit) -> Changed:
        key = await self._keys.rotate(UUID(visit.path["store"]), datetime.now(UTC))
        return Changed(key.id)

    async def _delete(self, visit: Visit) -> Changed:
        await self._applications.delete_application(visit.path["application"])
        return Changed(visit.path["application"])

    async def _allow(self, visit: Visit) -> Changed:
        await self._applications.set_password_grant(visit.path["application"], allowed=True)
        return Changed(visit.path["application"])

    async def _forbid(self, visit: Visit) -> Changed:
        await self._applications.set_password_grant(visit.path["application"], allowed=False)
        return Changed(visit.path["application"])


def _back(visit: Visit) -> str:
    return f"{store_page(visit)}/applications"


async def _check(visit: Visit) -> Sequence[Finding]:
    posted = visit.posted
    redirects = _lines(posted["redirect_uris"])
    if not redirects:
        raise OwnersChangeRefused(visit.text("dir_no_redirect"))
    try:
        check(posted["name"], redirects, _lines(posted["logout_uris"]))
    except ApplicationRefused as refused:
        raise OwnersChangeRefused(str(refused)) from None
    return ()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
