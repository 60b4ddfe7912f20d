"""The frozen values that pass through the pipeline. Each stage returns a new type, so none can be skipped.

`Request` (a socket was read) -> `Call` (a dialect understood it) -> `Caller` (a signature was proven)
-> `Checked` (a contract is satisfied) -> a command of `rolecall.domain` -> its outcome -> `Reply`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Generic, NoReturn, Protocol, SupportsIndex, TypeVar, runtime_checkable

from msgspec import Struct

KEY_PREFIX = "AKID"
"""The prefix of access key ids: clients of CAM expect it, those of other dialects take any text."""

P_co = TypeVar("P_co", covariant=True)
_P = TypeVar("_P")


class Secret:
    """A text that prints as ``***``, compares in constant time and does not pickle.

    Call `reveal` only where the secret is used: signing, engines, rules of contracts, sealing, connecting.
    """

    __slots__ = ("_derived", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._derived: tuple[tuple[str, ...], bytes] | None = None

    def reveal(self) -> str:
        return self._text

    def derived(self, purpose: tuple[str, ...], derive: Callable[[Secret], bytes]) -> bytes:
        """What `derive` makes of it for a purpose. The last one is kept with the secret, and no other: a request names
        the purpose before it is proven."""
        if self._derived is None or self._derived[0] != purpose:
            self._derived = purpose, derive(self)
        return self._derived[1]

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # surrogatepass: texts with lone surrogates, which UTF-8 cannot hold, are compared as well.
        mine, theirs = (each._text.encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(mine, theirs)

    __hash__ = None  # type: ignore[assignment]  # a secret is never a key

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret does not leave the process")


class Language(StrEnum):
    """The languages of messages in answers."""

    ENGLISH = "en-US"
    CHINESE = "zh-CN"


class Request(Struct, frozen=True):
    """One HTTP request as it came off the socket, nothing decoded.

    `headers` keep their order and values; names are lower-case. `query` is the raw text behind ``?``.
    `received` is unix time in seconds. `too_large`: the body exceeds the limit for that head, and only its beginning
    was kept. `crowded`: the rest was dropped because too many bodies were being received. `sha256` is the hex digest
    of a whole body, if it was computed while the body was received.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    secure: bool
    received: float
    too_large: bool = False
    crowded: bool = False
    sha256: str = ""

    def __repr__(self) -> str:
        """Without query, headers and body, which may hold secrets."""
        return f"Request({self.method} {self.path!r} from {self.client!r}, secure={self.secure})"

    def header(self, name: str, default: str = "") -> str:
        """The first header of that lower-case name, or `default`."""
        for key, value in self.headers:
            if key == name:
                return value
        return default


class Mark(IntEnum):
    """How surely a request is meant for a dialect, by what only its clients send. The highest mark wins."""

    NONE = 0
    PLACE = 1
    """The host or the path that was called, or the bare form of such a call."""
    NAME = 2
    """A version that the dialect serves."""
    PARAMETER = 3
    HEADER = 4
    SIGNATURE = 5


class SentParams:
    """The parameters of a request, parsed by the first `read`: not before the sender is proven.

    So the documents of proven callers are parsed and no others, and an unproven request is refused as such, whatever
    its body holds.
    """

    def __init__(self, parse: Callable[[], Mapping[str, object]]) -> None:
        """`parse` may refuse."""
        self._parse = parse
        self._params: Mapping[str, object] | None = None
        self._unreadable = False
        self.deferred = True

    @classmethod
    def parsed(cls, params: Mapping[str, object]) -> SentParams:
        """Parameters that are parsed already."""
        sent = cls(lambda: params)
        sent.read()
        sent.deferred = False
        return sent

    def read(self) -> Mapping[str, object]:
        """Refuses as the dialect does, at the first and at every further call."""
        if self._params is None:
            self._unreadable = True
            self._params = self._parse()
            self._unreadable = False
        return self._params

    @property
    def unreadable(self) -> bool:
        """Whether `read` refused: then nothing of the request is known but its action."""
        return self._unreadable

    @property
    def known(self) -> Mapping[str, object]:
        """The parameters if they were read, else none. Never refuses."""
        return {} if self._params is None else self._params


class TokenFacts(Protocol):
    """The claims of a token. Times are unix seconds; `method` is the kind of credential that it was issued for."""

    @property
    def method(self) -> str: ...
    @property
    def audit_id(self) -> str: ...
    @property
    def issued_at(self) -> int: ...
    @property
    def expires_at(self) -> int: ...


class IssuedToken(Protocol):
    """A new token: its text and its claims."""

    @property
    def text(self) -> Secret: ...
    @property
    def token(self) -> TokenFacts: ...


class TokenIssuer(Protocol):
    """A proven credential that can be exchanged for a token."""

    def issue(self, now: float, tenant: int) -> IssuedToken:
        """`now` in unix seconds; `tenant` is the owner's number."""


class Claim(Protocol):
    """The sender as the request claims it: a key id, and a proof that only the holder of the key can make."""

    @property
    def access_key_id(self) -> str: ...

    @property
    def token(self) -> Secret | None:
        """The session token that goes with a temporary key, if one was sent."""

    def prove(self, key: Secret, now: float) -> TokenIssuer | None:
        """Refuse unless the proof holds under `key` at unix time `now`; the issuer of tokens for it, if it has one."""


@runtime_checkable
class PasswordClaim(Claim, Protocol):
    """A claim whose key id may be a sub-user's name, sent with its password."""

    @property
    def shown(self) -> Secret: ...

    def verified(self, key_id: str, key: Secret) -> TokenIssuer:
        """The password was right: tokens are issued in the name of `key_id`, sealed with `key`."""


_CONFORMING: dict[tuple[type, type], bool] = {}


def conforms(claim: Claim, protocol: type) -> bool:
    """`isinstance` for a protocol, which looks for every attribute of it, once for each class of claims."""
    kinds = type(claim), protocol
    known = _CONFORMING.get(kinds)
    if known is None:
        known = _CONFORMING[kinds] = isinstance(claim, protocol)
    return known


class Envelope(Struct, frozen=True):
    """What it takes to answer a request, also one that cannot be parsed."""

    request: Request
    request_id: str
    language: Language


class Call(Struct, frozen=True):
    """A parsed request: one action of one service, with a claim that is not proven yet.

    `flat` says that every value arrived as text (a form or a query string), so the contract coerces it.
    """

    envelope: Envelope
    dialect: str
    service: str
    version: str
    action: str
    region: str
    params: SentParams
    flat: bool
    claim: Claim

    @property
    def request_id(self) -> str:
        return self.envelope.request_id

    @property
    def unreadable(self) -> bool:
        return self.params.unreadable


class PrincipalKind(StrEnum):
    OWNER = "owner"
    SUB_USER = "sub-user"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Session:
    """The session of temporary credentials. `policy` is a document that narrows what is permitted, or empty.

    `role`: the principal is a role, assumed by the principal `taken_by`. `key_id` is the permanent key at the start of
    the chain.
    """

    name: str
    policy: str = field(default="", repr=False)
    role: bool = False
    taken_by: int = 0
    key_id: str = ""
    chain_ends: int = 0
    """Unix time after which every session derived from this one has ended; 0 for none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The proven sender of a call: the owner itself (`principal == owner_number`), a sub-user of it, or a role."""

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


class Checked(Struct, Generic[P_co], frozen=True):
    """A call whose parameters satisfy the contract: typed, with defaults filled in and secrets wrapped.

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


class Reply(Struct, frozen=True):
    """One HTTP answer, ready for the socket. `code` is the vendor's error code, empty on success."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    code: str = ""


class Origin(Struct, frozen=True):
    """Where a command came from. Recorded with every operation; holds no secret."""

    caller: Caller
    dialect: str
    action: str
    request_id: str
    region: str = ""
    client: str = ""
    secure: bool = False
    """Whether the call came over TLS."""
