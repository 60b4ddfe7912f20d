"""What answers requests: the pipeline of calls, the router of sign-ins, and the console."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rolecall import services, spans
from rolecall.app.application import Application
from rolecall.domain.maintenance.faults import Faults
from rolecall.intake import Strangers
from rolecall.pipeline import Dialect, Pipeline
from rolecall.signing.replay import Replays
from rolecall.traced_pipeline import TracedPipeline
from rolecall.workers import shared_directory

if TYPE_CHECKING:
    from rolecall.console.router import ConsoleRouter
    from rolecall.signin.router import SignInRouter


class Entry:
    """The pages are imported when the first request is for one: most servers only answer calls."""

    def __init__(
        self, app: Application, pipeline: Pipeline, dialects: Sequence[Dialect], *, require_tls: bool
    ) -> None:
        self.pipeline = pipeline
        self._app = app
        self._dialects = dialects
        self._require_tls = require_tls

    @cached_property
    def sign_in(self) -> SignInRouter:
        app = self._app
        return app.sign_in.router(app.metrics, app.settings.public_url, require_tls=self._require_tls)

    @cached_property
    def console(self) -> ConsoleRouter:
        from rolecall.console import wiring

        app = self._app
        return wiring.router(
            app.store,
            app.keys,
            app.sign_in.keys,
            app.directories.uploads,
            app.iam.sign_in,
            app.addresses,
            app.bus,
            app.instances,
            app.permissions,
            app.maintenance.call_history,
            app.operations.auditing,
            self.pipeline,
            self._dialects,
            services.BY_NAME,
            services.ROUTES,
            app.metrics,
            require_tls=self._require_tls,
        )


def entry(app: Application, *, require_tls: bool = False) -> Entry:
    """`require_tls` refuses secrets by plain HTTP, and Alibaba's calls altogether, as the vendor does."""
    settings = app.settings
    dialects = services.dialects(settings, require_tls=require_tls, external_tokens=app.external_tokens)
    make = Pipeline if spans.tracer is None else TracedPipeline
    pipeline = make(
        dialects,
        services.BY_NAME,
        app.authenticator,
        app.admission,
        app.permissions,
        app.bus,
        app.deciphering.decipher,
        Replays(settings.aliyun_clock_window, shared_directory()),
        app.metrics,
        Strangers(settings.stranger_rate),
        app.store.audit,
        app.readers,
        faults=Faults(app.store.faults, app.store.audit) if settings.faults else None,
        require_tls=require_tls,
    )
    return Entry(app, pipeline, dialects, require_tls=require_tls)
