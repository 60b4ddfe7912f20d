"""The frozen values that flow down the river. Each stage returns a new type; none can be skipped.

`Request` (a socket was read) -> `Call` (a dialect understood it) -> `Caller` (a signature was proven)
-> `Checked` (a contract was kept) -> a command of `rolecall.domain` -> its outcome -> `Reply`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Generic, NoReturn, Protocol, SupportsIndex, TypeVar, runtime_checkable

KEY_PREFIX = "AKID"
"""How the id of an access key begins: clients of CAM expect it, those of the other dialects take any text."""

P_co = TypeVar("P_co", covariant=True)
_P = TypeVar("_P")


class Secret:
    """Text that never shows itself: it prints as ``***``, compares in constant time and does not pickle.

    `reveal` is called where a secret is used, nowhere else: signing, engines, contracts' rules, sealing, connecting.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # surrogatepass: two texts that no encoding can hold are compared all the same.
        mine, theirs = (each._text.encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a secret is never a key

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret does not leave the process")


class Language(StrEnum):
    """The languages an answer's prose can be written in."""

    ENGLISH = "en-US"
    CHINESE = "zh-CN"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came off the socket, nothing decoded.

    `headers` keep their order and values; names are lower-case. `query` is the raw text behind ``?``.
    `received` is unix time in seconds. `too_large` says that more of a body came than is taken of a request with
    that head: only its beginning was kept. `crowded` says that nothing more was kept because too many bodies were on
    their way. `sha256` is the digest of a whole body in hex, if it was taken as the body came.
    """

    method: str
    path: str
    query: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    client: str
    secure: bool
    received: float
    too_large: bool = False
    crowded: bool = False
    sha256: str = field(default="", repr=False)

    def header(self, name: str, default: str = "") -> str:
        """The first header of that lower-case name, or `default`."""
        for key, value in self.headers:
            if key == name:
                return value
        return default


class Mark(IntEnum):
    """How surely a request is meant for a dialect, by what only its clients send. The surest mark decides."""

    NONE = 0
    PLACE = 1
    """The host or the path that was called, or the bare form of such a call."""
    NAME = 2
    """A version that the dialect serves."""
    PARAMETER = 3
    HEADER = 4
    SIGNATURE = 5


class Deferred(Mapping[str, object]):
    """Parameters that are read when they are first looked at: not before the sender was proven.

    So nobody's documents are parsed but a caller's, and a stranger is told only that, whatever the body holds.
    `read` may refuse; then so does every look.
    """

    def __init__(self, read: Callable[[], Mapping[str, object]]) -> None:
        self._read = read
        self._params: Mapping[str, object] | None = None
        self._unreadable = False

    @property
    def unreadable(self) -> bool:
        """Whether a look was refused: then of the request no more was understood than which action it asks for."""
        return self._unreadable

    @property
    def known(self) -> Mapping[str, object]:
        """What was read so far; nothing before the first look. Never fails."""
        return {} if self._params is None else self._params

    def _looked_at(self) -> Mapping[str, object]:
        if self._params is None:
            self._unreadable = True
            self._params = self._read()
            self._unreadable = False
        return self._params

    def __getitem__(self, name: str) -> object:
        return self._looked_at()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._looked_at())

    def __len__(self) -> int:
        return len(self._looked_at())


class TokenFacts(Protocol):
    """What a token says. Times are unix seconds; `method` is the kind of credential that bought it."""

    @property
    def method(self) -> str: ...
    @property
    def audit_id(self) -> str: ...
    @property
    def issued_at(self) -> int: ...
    @property
    def expires_at(self) -> int: ...


class IssuedToken(Protocol):
    """A new token: its text, and what it says."""

    @property
    def text(self) -> Secret: ...
    @property
    def token(self) -> TokenFacts: ...


class TokenIssuer(Protocol):
    """A proven credential that can be exchanged for a token."""

    def issue(self, now: float, tenant: int) -> IssuedToken:
        """`now` in unix seconds; `tenant` is the owner's number."""


class Claim(Protocol):
    """What a request says about who sent it: a key id, and a proof that only the key's holder can make."""

    @property
    def access_key_id(self) -> str: ...

    @property
    def token(self) -> Secret | None:
        """The session token that goes with a temporary key, if one was sent."""

    def prove(self, key: Secret, now: float) -> TokenIssuer | None:
        """Refuse unless the proof holds under `key` at unix time `now`; the issuer if tokens can be bought with it."""


@runtime_checkable
class PasswordClaim(Claim, Protocol):
    """A claim whose key id may be a sub-user's name, shown with its password."""

    @property
    def shown(self) -> Secret: ...

    def verified(self, key_id: str, key: Secret) -> TokenIssuer:
        """The password was right: tokens are issued in the name of `key_id`, sealed with `key`."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is needed to answer anybody, even a caller whose request could not be understood."""

    request: Request
    request_id: str
    language: Language


@dataclass(frozen=True, slots=True)
class Call:
    """A request understood by a dialect: one action of one service, with a claim still to be proven.

    `flat` says that every value arrived as text (a form or a query string), so the contract coerces it.
    """

    envelope: Envelope
    dialect: str
    service: str
    version: str
    action: str
    region: str
    params: Mapping[str, object] = field(repr=False)
    flat: bool
    claim: Claim

    @property
    def request_id(self) -> str:
        return self.envelope.request_id

    @property
    def unreadable(self) -> bool:
        return isinstance(self.params, Deferred) and self.params.unreadable


class PrincipalKind(StrEnum):
    OWNER = "owner"
    SUB_USER = "sub-user"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Session:
    """What temporary credentials were issued for. `policy` is a document that narrows what is permitted, or empty.

    `role` says that the principal is a role that was taken, by the principal `taken_by`. `key_id` is the permanent key
    that all began with.
    """

    name: str
    policy: str = field(default="", repr=False)
    role: bool = False
    taken_by: int = 0
    key_id: str = ""
    chain_ends: int = 0
    """Unix time beyond which no session lasts that was got from this one; 0: from no other."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a call, proven: the owner itself (`principal == owner_number`), a sub-user of it, or a role."""

    owner_id: int
    owner_number: int
    app_id: int
    principal: int
    access_key_id: str
    session: Session | None = None

    @property
    def is_owner(self) -> bool:
        return self.principal == self.owner_number

    @property
    def kind(self) -> PrincipalKind:
        if self.session is not None and self.session.role:
            return PrincipalKind.ROLE
        return PrincipalKind.OWNER if self.is_owner else PrincipalKind.SUB_USER


@dataclass(frozen=True, slots=True)
class Checked(Generic[P_co]):
    """A call whose parameters kept the contract: typed, defaults filled in, secrets wrapped.

    `params` is an instance of the action's class (`rolecall.contracts.parameters`).
    An optional parameter that was not sent and has no default is None.
    """

    call: Call
    caller: Caller
    params: P_co

    def of(self, params: type[_P]) -> Checked[_P]:
        """The same, known to have parameters of that class. TypeError if it has others."""
        if not isinstance(self.params, params):
            raise TypeError(f"{self.action} has no {params.__name__}")
        return Checked(self.call, self.caller, self.params)

    @property
    def action(self) -> str:
        return self.call.action


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, ready for the socket. `code` is the vendor's error code, empty on success."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    code: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came from: kept with every operation, and never holding a secret."""

    caller: Caller
    dialect: str
    action: str
    request_id: str
    region: str = ""
    client: str = ""
    secure: bool = False
    """Whether the call came over TLS."""
