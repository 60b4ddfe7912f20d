"""What a call is refused with."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from rolecall.domain.reasons import Reason, Refused


async def refused(work: Awaitable[object]) -> Reason:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.reason
