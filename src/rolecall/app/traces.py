"""Turns traces on, if the settings say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rolecall import spans
from rolecall.metrics import Metrics
from rolecall.settings import Settings, SettingsError


@asynccontextmanager
async def traces(settings: Settings, metrics: Metrics) -> AsyncIterator[None]:
    """What OpenTelemetry needs is imported only then. SettingsError if it is not installed."""
    if not settings.traces_endpoint:
        yield
        return
    try:
        from rolecall.tracing import OtlpTracer
    except ImportError as error:
        raise SettingsError(
            f"ROLECALL_TRACES_ENDPOINT needs more packages: pip install 'rolecall[tracing]' ({error})"
        ) from None
    tracer = OtlpTracer(settings.traces_endpoint, settings.traces_ratio, settings.traces_parent)
    metrics.watch(tracer.readings)
    spans.tracer = tracer
    try:
        yield
    finally:
        spans.tracer = None
        await tracer.close()
