"""The pipeline of a call: eight stages, in order. Each takes only what the stage before it can produce.

    1  server         read the socket                 -> Request
    2  dialect        parse the request               -> Call
    3  authenticator  prove who sent it               -> Caller
    4  admission      limit the rate
    5  contract       check the parameters            -> Checked; ask policies for permission
    6  verb           translate to neutral terms      -> command
    7  bus            execute once, and record it     -> outcome
    8  dialect        render in the same dialect      -> Reply

Every failure, an unknown route, an oversize body and a crash included, is answered in the caller's own dialect. A
request with no mark of any dialect is answered in plain text, by 404 or 400.

Before stage 3 only digests and flat pairs of a body are read; its document is parsed in stage 5.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

import structlog

from rolecall.admission import Admission
from rolecall.calls import CallRecord, Calls
from rolecall.contracts.check import check
from rolecall.contracts.model import Action, Contract
from rolecall.contracts.permission import policy_request
from rolecall.domain.access.authenticator import Authenticator, Proven
from rolecall.domain.access.sign_ins import SignInSource
from rolecall.domain.bus import Bus, Expected
from rolecall.domain.maintenance.faults import Faults, Injected
from rolecall.domain.operations.audit import Audit, Outcome, entry_of
from rolecall.domain.policy.requests import Permissions, PolicyRequest
from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.exchanges import Away
from rolecall.intake import SMALL, Strangers
from rolecall.metrics import Metrics
from rolecall.signing.replay import Replays
from rolecall.signing.token import OutsideTokenClaim, TokenClaim
from rolecall.values import Call, Caller, Checked, Envelope, Mark, Origin, Reply, Request
from rolecall.verbs import Decipher, Verbs

_log = structlog.get_logger("rolecall.calls")

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

ANONYMOUS = Proven(Caller(owner_id=0, owner_number=0, app_id=0, principal=0, access_key_id=""))
"""The caller of a public action without credentials."""


class Dialect(Protocol):
    """A vendor's wire protocol."""

    @property
    def name(self) -> str: ...
    def mark(self, request: Request) -> Mark: ...
    def largest_body(self, head: Request) -> int: ...
    def codes(self) -> Collection[str]: ...
    def open(self, request: Request) -> Envelope: ...
    def parse(self, envelope: Envelope) -> Call: ...
    def render(self, call: Call, answer: Mapping[str, object]) -> Reply: ...
    def refuse(self, envelope: Envelope, refusal: Refused, call: Call | None) -> Reply: ...


class Service:
    """A contract with the verbs that serve it."""

    def __init__(self, contract: Contract, verbs: Verbs) -> None:
        self.contract = contract
        self.verbs = verbs
        self.regions = frozenset().union(*(action.regions or () for action in contract.actions.values()))
        """The regions whose calls are counted separately: all that the contract lists."""

    def action(self, call: Call) -> Action:
        return self.contract.actions[call.action]


class Pipeline:
    """The dialect with the surest mark on a request answers it; of equal marks the first in `dialects`."""

    def __init__(
        self,
        dialects: Sequence[Dialect],
        services: Mapping[tuple[str, str, str], Service],
        authenticator: Authenticator,
        admission: Admission,
        permissions: Permissions,
        bus: Bus,
        decipher: Decipher,
        replays: Replays,
        metrics: Metrics,
        strangers: Strangers,
        audit: Audit,
        readers: Executor,
        clock: Callable[[], float] = time.time,
        *,
        faults: Faults | None = None,
        require_tls: bool = False,
    ) -> None:
        """`readers` run the parsing of large bodies off the event loop.

        `faults` are those that testers asked for; None if the operator allows none.
        `require_tls` refuses calls that carry a secret or show a token if they did not come over TLS."""
        self._dialects = dialects
        self._services = services
        self._authenticator = authenticator
        self._admission = admission
        self._permissions = permissions
        self._bus = bus
        self._decipher = decipher
        self._replays = replays
        self._calls = Calls(metrics)
        self._strangers = strangers
        self._audit = audit
        self._readers = readers
        self._clock = clock
        self._faults = faults
        self._require_tls = require_tls
        metrics.expect(_NO_DIALECT, {}, {reply.code for reply in (_NO_CALL, _NO_SUCH_PATH, _CRASHED)})
        for dialect in dialects:
            mine = [one.contract for key, one in services.items() if key[0] == dialect.name]
            actions = {
                service: [
                    name for contract in mine if contract.service == service for name in contract.actions
                ]
                for service in {contract.service for contract in mine}
            }
            metrics.expect(dialect.name, actions, dialect.codes())

    async def answer(self, request: Request) -> Reply:
        """The reply to any request. Never fails."""
        dialect = self._dialect(request)
        if dialect is None:
            record = CallRecord(_NO_DIALECT, request)
            return await self._calls.answer(record, lambda: self._unrecognized(request), lambda _: _CRASHED)
        envelope = dialect.open(request)
        call = _Progress(CallRecord(dialect.name, request, envelope.request_id))
        return await self._calls.answer(
            call.record,
            lambda: self._served(dialect, envelope, call),
            lambda error: dialect.refuse(envelope, error, call.call),
        )

    async def _served(self, dialect: Dialect, envelope: Envelope, progress: _Progress) -> Reply:
        record = progress.record
        try:
            call = progress.call = await self._parsed(dialect, envelope)
            record.service, record.action = call.service, call.action
            self._require_private(call)
            proven = await self._prove(call)
            record.caller = proven.caller
            return self._render(dialect, call, await self.perform(call, proven, call.dialect))
        except Refused as refusal:
            record.error = refusal
            if record.caller is None and refusal.reason.fault is Fault.CALLER:
                self._strangers.failed(envelope.request.client)
            return dialect.refuse(envelope, refusal, progress.call)

    def _render(self, dialect: Dialect, call: Call, answer: Mapping[str, object]) -> Reply:
        """Stage 8."""
        return dialect.render(call, answer)

    async def perform(
        self, call: Call, proven: Proven, front: str, expected: Expected | None = None
    ) -> Mapping[str, object]:
        """Stages 4 to 7 for a proven caller: the answer as the vendor's fields. Raises `Refused`.

        `front` is recorded as what the call came through: its dialect, or the console. `expected` is for the command.
        """
        bus = self._bus if expected is None else self._bus.with_expected(expected)
        try:
            return await self._outcome(call, proven, front, bus)
        except Injected:
            raise  # it is recorded already, and no policy denied the call
        except Refused as refusal:
            if refusal.reason is Reason.NOT_PERMITTED:
                await self._note_denial(call, proven.caller, refusal, front)
            raise

    async def admit(self, call: Call, caller: Caller, front: str) -> None:
        """Stages 4 and 5 for what reads in the place of a call, whose parameters are not checked. RATE_EXCEEDED,
        NOT_PERMITTED, which is recorded."""
        service = self._service(call)
        action = service.action(call)
        await self._admission.admit(call, caller, action, service.regions)
        if not (action.free or action.public):
            try:
                await self._permissions.permit(caller, self._asked(call, caller))
            except Refused as refusal:
                if refusal.reason is Reason.NOT_PERMITTED:
                    await self._note_denial(call, caller, refusal, front)
                raise
        await self._admission.charge(call, caller, action)

    async def permits(self, call: Call, caller: Caller) -> bool:
        """Whether policies permit a call with these parameters, which are not checked; one that is not given stands
        for every value. Records nothing."""
        action = self._service(call).action(call)
        if action.free or action.public:
            return True
        try:
            await self._permissions.permit(caller, self._asked(call, caller))
        except Refused:
            return False
        return True

    def _asked(self, call: Call, caller: Caller) -> PolicyRequest:
        """What policies are asked for a call whose parameters are not checked."""
        service = self._service(call)
        action = service.action(call)
        checked = Checked(call, caller, action.shape.type(**call.params.read()))
        return policy_request(checked, service.contract, action)

    def checked(self, call: Call, caller: Caller) -> Checked[object]:
        """Stage 5 without the policies: the parameters as the contract has them. Refuses as the contract says."""
        return check(call, caller, self._service(call).action(call))

    async def _note_denial(self, call: Call, caller: Caller, refusal: Refused, front: str) -> None:
        """Record the denial of a proven caller, within a rate. A failure to record does not change the answer."""
        target = str(refusal.facts.get("resource", ""))
        detail = {"service": call.service, "note": refusal.note}
        entry = entry_of(origin_of(call, caller, front), Outcome.DENIED, target, refusal.reason.value, detail)
        try:
            await self._audit.note_quickly(entry)
        except Away as error:
            _log.warning("a denial was not recorded", request_id=call.request_id, error=str(error))
        except Exception:  # noqa: BLE001 - logged; the denial is answered anyway
            _log.exception("a denial was not recorded", request_id=call.request_id)

    def largest_body(self, head: Request) -> int:
        """The most bytes of body to read for a request with that head."""
        length = head.header("content-length")
        if length.isdecimal() and len(length) <= _DIGITS and int(length) <= SMALL:
            return SMALL  # the server reads no more than the client has announced
        return max(SMALL, *(dialect.largest_body(head) for dialect in self._dialects))

    async def _parsed(self, dialect: Dialect, envelope: Envelope) -> Call:
        """Stage 2. TOO_LARGE, RATE_EXCEEDED, or as the dialect refuses."""
        request = envelope.request
        if request.crowded:
            raise Refused(Reason.RATE_EXCEEDED, note="too many bytes of bodies at once")
        call = await self._read(request, dialect.parse, envelope)
        if request.too_large:
            raise Refused(Reason.TOO_LARGE)
        return call

    async def _read(
        self, request: Request, read: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        """Parse a small body here and a large one off the event loop, so that other calls do not wait for it."""
        if len(request.body) <= SMALL:
            return read(*given, **named)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, partial(read, *given, **named))

    def _require_private(self, call: Call) -> None:
        """TLS_REQUIRED."""
        if not self._require_tls or call.envelope.request.secure:
            return
        # A token is a secret: anyone who reads it can use it.
        shows_token = isinstance(call.claim, TokenClaim | OutsideTokenClaim)
        if shows_token or self._service(call).action(call).carries_secret:
            raise Refused(Reason.TLS_REQUIRED)

    async def _prove(self, call: Call) -> Proven:
        """Stage 3. Public actions need no credentials. A request that may not be repeated is refused then."""
        action, request = self._service(call).action(call), call.envelope.request
        if not call.claim.access_key_id and action.public:
            return ANONYMOUS
        now = self._clock()
        self._strangers.admit(request.client, call.claim.access_key_id)
        proven = await self._authenticator.authenticate(call.claim, now, request.client, _source(call))
        # A sub-user's tokens are let in from there then, its name and password are limited as before.
        key_id = proven.caller.access_key_id if call.claim.access_key_id else ""
        self._strangers.proven(request.client, key_id)
        self._replays.require_new(call.claim, now)
        return proven

    def _service(self, call: Call) -> Service:
        return self._services[call.dialect, call.service, call.version]

    async def _outcome(self, call: Call, proven: Proven, front: str, bus: Bus) -> Mapping[str, object]:
        service, caller = self._service(call), proven.caller
        action = service.action(call)
        await self._admit(call, caller, service, action)
        request, now = call.envelope.request, self._clock()
        regional = action.regions is not None
        is_repeated = self._replays.remember(call.claim, request, now, regional=regional)
        checked = await self._check(call, caller, service, action)
        await self._admission.charge(call, caller, action)
        if is_repeated:
            self._replays.require_same(call.claim, request, now, mints=action.mints_secret, regional=regional)
        origin = origin_of(call, caller, front)
        fault = self._faults and await self._faults.take(call.service, origin, call.dialect)
        if fault and not fault.after:
            raise fault.refusal
        answer = await self._carry_out(checked, service, bus, origin, proven)
        if fault:
            raise fault.refusal
        return answer

    async def _admit(self, call: Call, caller: Caller, service: Service, action: Action) -> None:
        """Stage 4. RATE_EXCEEDED."""
        await self._admission.admit(call, caller, action, service.regions)

    async def _check(self, call: Call, caller: Caller, service: Service, action: Action) -> Checked[object]:
        """Stage 5. NOT_PERMITTED, and as the contract refuses."""
        checked = await self._read(call.envelope.request, check, call, caller, action)
        if not (action.free or action.public):
            await self._permissions.permit(caller, policy_request(checked, service.contract, action))
        return checked

    async def _carry_out(
        self, checked: Checked[object], service: Service, bus: Bus, origin: Origin, proven: Proven
    ) -> Mapping[str, object]:
        """Stages 6 and 7."""
        verb = service.verbs[checked.call.action]
        return await verb.serve(checked, self._decipher, bus, origin, proven.issuer)

    def _dialect(self, request: Request) -> Dialect | None:
        """None for a request without a mark of any dialect, and for paths below ``/.well-known/``."""
        if request.path.startswith(_WELL_KNOWN):
            return None
        found, surest = None, Mark.NONE
        for dialect in self._dialects:
            mark = dialect.mark(request)
            if mark > surest:
                found, surest = dialect, mark
                if mark is Mark.SIGNATURE:  # of the one Authorization header, which is of no other dialect
                    break
        return found

    async def _unrecognized(self, request: Request) -> Reply:
        self._strangers.failed(request.client)
        return _NO_CALL if request.path in ("", "/") else _NO_SUCH_PATH


@dataclass(slots=True)
class _Progress:
    """`call` is None until the request is parsed."""

    record: CallRecord
    call: Call | None = None


def _source(call: Call) -> SignInSource:
    return SignInSource(call.dialect, "sign-in", call.request_id)


def _plain(status: int, code: str, words: str) -> Reply:
    return Reply(status, (("content-type", "text/plain; charset=utf-8"),), f"{words}\n".encode(), code)


_NO_DIALECT = "none"
"""The dialect, in metrics, of requests that no dialect recognizes."""

_DIGITS = len(str(SMALL))

_WELL_KNOWN = "/.well-known/"
_NO_CALL = _plain(400, "BadRequest", "This is not a call of any API that is served here.")
_CRASHED = _plain(500, "InternalError", "Something went wrong here; it was logged.")
_NO_SUCH_PATH = _plain(404, "NotFound", "There is nothing here.")


def origin_of(call: Call, caller: Caller, front: str) -> Origin:
    """Where a command came from, as it is recorded with every operation."""
    request = call.envelope.request
    return Origin(
        caller,
        front,
        call.action,
        call.request_id,
        call.region,
        request.client,
        request.secure,
    )
