"""What the metrics tell of open operations."""

from __future__ import annotations

from rolecall.domain.operations.model import Unresolved
from rolecall.metrics import Metrics


def test_open_operations_are_gauges() -> None:
    metrics = Metrics()
    assert b"rolecall_unresolved_operations 0.0" in metrics.text()
    metrics.unresolved(Unresolved(3, 12.5, 4, 2))
    lines = metrics.text().decode().splitlines()
    assert "rolecall_unresolved_operations 3.0" in lines
    assert "rolecall_unresolved_oldest_seconds 12.5" in lines
    assert "rolecall_unresolved_attempts 4.0" in lines
    assert "rolecall_failed_promises 2.0" in lines
