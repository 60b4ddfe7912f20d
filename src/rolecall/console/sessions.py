"""Sessions of visitors: an owner's by an access key or by a sign-in link, a sub-user's by name and password."""

from __future__ import annotations

import ipaddress
import re
from typing import Protocol
from uuid import uuid4

from rolecall.console.actions import FRONT
from rolecall.console.visits import Visitor
from rolecall.domain.access.browser_sessions import BrowserSession, BrowserSessions, password_fingerprint
from rolecall.domain.access.keys import Keys, Owner
from rolecall.domain.access.sign_in_links import SignInLinks
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource, SignInSubject
from rolecall.domain.bus import Bus
from rolecall.domain.iam import commands
from rolecall.domain.iam.sign_in import SignedIn, Subject
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Origin, Request, Secret
from rolecall.web import browser
from rolecall.web.forms import moment

_NO_OWNER = 0
"""The number that no owner has."""

_NO_SECRET = Secret("")


class SubUserSignIn(Protocol):
    """`rolecall.domain.iam.sign_in.SignIn`."""

    async def at_console(self, owner_number: int, name: str, password: Secret, client: str) -> SignedIn: ...


class SubjectRepository(Protocol):
    async def subject(self, number: int) -> Subject | None: ...


class LinkElsewhere(Exception):
    """A sign-in link was opened on another machine."""


class VisitorSessions:
    def __init__(
        self,
        sub_users: SubUserSignIn,
        subjects: SubjectRepository,
        keys: Keys,
        links: SignInLinks,
        sessions: BrowserSessions,
        addresses: AddressLimit,
        bus: Bus,
    ) -> None:
        self._sub_users = sub_users
        self._subjects = subjects
        self._keys = keys
        self._links = links
        self._sessions = sessions
        self._addresses = addresses
        self._bus = bus

    async def find(self, request: Request) -> Visitor | None:
        """The visitor behind the request's cookie; None if there is none, or it may not be signed in any longer."""
        session_id = browser.session_id(request, FRONT)
        session = None if session_id is None else await self._sessions.find(session_id, moment(request))
        if session_id is None or session is None:
            return None
        if session.owner_id is not None:
            return await self._owner(session, session_id)
        return await self._sub_user(session, session_id, request)

    async def by_key(self, request: Request, key_id: str, secret: Secret) -> Secret:
        """A new session of an owner that showed its access key. CREDENTIALS_INVALID, RATE_EXCEEDED."""
        async with self._addresses.guarded(request.client, moment(request), SignInSource(FRONT)) as attempt:
            owner = await self._proven(key_id, secret)
            attempt.subject = SignInSubject(key_id, owner.id, owner.number)
        return await self._begin_owner(request, owner, key_id)

    async def by_link(self, request: Request, text: Secret) -> Secret:
        """A new session of the owner that a link signs in. `LinkElsewhere`, CREDENTIALS_INVALID, RATE_EXCEEDED."""
        if not _is_loopback(request.client):
            raise LinkElsewhere
        source = SignInSource(FRONT, "sign-in by link")
        async with self._addresses.guarded(request.client, moment(request), source) as attempt:
            owner = await self._links.redeem(text, moment(request))
            if owner is None:
                raise Refused(Reason.CREDENTIALS_INVALID)
            attempt.subject = SignInSubject("link", owner.id, owner.number)
        return await self._begin_owner(request, owner, None)

    async def by_password(
        self, request: Request, owner: str, name: str, password: Secret
    ) -> tuple[Secret, bool]:
        """A new session of a sub-user, and whether the password must be changed first.

        CREDENTIALS_INVALID, RATE_EXCEEDED, HASHING_BUSY.
        """
        number = int(owner) if re.fullmatch("[0-9]{1,18}", owner) else _NO_OWNER
        async with self._addresses.guarded(request.client, moment(request), SignInSource(FRONT)) as attempt:
            signed_in = await self._sub_users.at_console(number, name, password, request.client)
            attempt.subject = SignInSubject(signed_in.user.name, signed_in.owner.id, signed_in.user.number)
        return await self.begin(request, signed_in), signed_in.must_change

    async def begin(self, request: Request, signed_in: SignedIn) -> Secret:
        """A new session of a sub-user whose password was right. CREDENTIALS_INVALID if it was deleted meanwhile."""
        now = moment(request)
        session_id = await self._sessions.begin(
            sub_user=signed_in.user.number,
            fingerprint=password_fingerprint(signed_in.user.password_hash),
            must_change=signed_in.must_change,
            at=now,
            seen_at=now,
            instead_of=browser.session_id(request, FRONT),
        )
        if session_id is None:
            raise Refused(Reason.CREDENTIALS_INVALID)
        return session_id

    async def end(self, visitor: Visitor) -> None:
        await self._sessions.end(visitor.session_id)

    async def end_all(self, visitor: Visitor) -> None:
        """Every session of the sub-user, or of the owner."""
        if visitor.user is not None:
            await self._sessions.end_all(sub_user=visitor.user.number)
        else:
            await self._sessions.end_all(owner_id=visitor.caller.owner_id)

    async def _proven(self, key_id: str, secret: Secret) -> Owner:
        """The owner whose active key it is. CREDENTIALS_INVALID; keys of sub-users sign calls, not pages."""
        key = await self._keys.find(key_id)
        matches = secret == (_NO_SECRET if key is None else self._keys.secret_of(key))
        if key is None or not matches or not key.active or key.principal != key.owner.number:
            raise Refused(Reason.CREDENTIALS_INVALID)
        return key.owner

    async def _begin_owner(self, request: Request, owner: Owner, key_id: str | None) -> Secret:
        now = moment(request)
        session_id = await self._sessions.begin(
            owner_id=owner.id,
            key_id=key_id,
            at=now,
            seen_at=now,
            instead_of=browser.session_id(request, FRONT),
        )
        if session_id is None:  # the key was deleted meanwhile
            raise Refused(Reason.CREDENTIALS_INVALID)
        return session_id

    async def _owner(self, session: BrowserSession, session_id: Secret) -> Visitor | None:
        if session.key_id is not None:
            key = await self._keys.find(session.key_id)
            if key is None or not key.active:
                return None
        owner = None if session.owner_id is None else await self._keys.owner(session.owner_id)
        if owner is None:
            return None
        caller = Caller(owner.id, owner.number, owner.app_id, owner.number, session.key_id or "")
        return Visitor(caller, session_id)

    async def _sub_user(
        self, session: BrowserSession, session_id: Secret, request: Request
    ) -> Visitor | None:
        if session.sub_user is None:
            return None
        subject = await self._subjects.subject(session.sub_user)
        if subject is None:
            return None
        owner = subject.owner
        caller = Caller(owner.id, owner.number, owner.app_id, session.sub_user, "")
        origin = Origin(caller, FRONT, "ShowMyself", str(uuid4()), client=request.client)
        found = await self._bus.execute(commands.FindSubUsers((session.sub_user,)), origin)
        user = next(iter(found), None)
        if user is None or not user.console_login:
            return None
        if password_fingerprint(user.password_hash) != session.fingerprint:
            return None
        return Visitor(caller, session_id, user, session.must_change or user.must_reset_password)


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
