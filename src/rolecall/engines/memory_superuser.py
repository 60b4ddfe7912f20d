"""The administrator of tenants in memory, as the MySQL family has it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.engine.identity import NO_ACCOUNT, Expected, Fence
from rolecall.engines.memory_steps import Steps, may_remove, retired_by
from rolecall.engines.mysql import names
from rolecall.values import Secret

ADMINISTRATOR = "root"


class MemorySuperuser:
    """`domain.engine.capabilities.TenantSuperuser` in memory. It is disabled in the steps of dropping an account."""

    name = ADMINISTRATOR

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._found: AccountFacts | None = None
        self.verifier: Secret | None = None

    async def find(self) -> AccountFacts | None:
        async with self._steps.locked(self.name):
            return self._found

    async def enable(
        self,
        verifier: Secret,
        operation: UUID,
        fence: Fence | None = None,
    ) -> AccountFacts:
        async with self._steps.locked(self.name):
            there = self._found
            if there is not None and operation in there.operations:
                return there
            if fence is not None:
                await fence()
            before = there or AccountFacts(
                0, self.name, AccountKind.SUPER, True, True, None, names.ANY_HOST, identity=str(operation)
            )
            self._found = replace(before.changed_by(operation), may_log_in=True)
            self.verifier = verifier
            return self._found

    async def disable(self, operation: UUID, expected: Expected | None = None) -> bool:
        async with self._steps.locked(self.name):
            found = self._found
            if found is None or expected == NO_ACCOUNT:
                return False
            retired = self._found = retired_by(found, operation, expected)
        await self._steps.passed("retired")
        async with self._steps.locked(self.name):
            if may_remove(self._found, retired):
                self._found = self.verifier = None
        return True
