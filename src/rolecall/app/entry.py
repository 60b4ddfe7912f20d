"""What answers requests: the pipeline of calls, the router of sign-ins, and the console."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall import services
from rolecall.app.application import Application
from rolecall.console import wiring as console
from rolecall.console.router import ConsoleRouter
from rolecall.intake import Strangers
from rolecall.pipeline import Pipeline
from rolecall.signin.router import SignInRouter
from rolecall.signing.replay import Replays


@dataclass(frozen=True, slots=True)
class Entry:
    pipeline: Pipeline
    sign_in: SignInRouter
    console: ConsoleRouter


def entry(app: Application, *, require_tls: bool = False) -> Entry:
    """`require_tls` refuses secrets by plain HTTP, and Alibaba's calls altogether, as the vendor does."""
    settings = app.settings
    dialects = services.dialects(settings, require_tls=require_tls, external_tokens=app.external_tokens)
    pipeline = Pipeline(
        dialects,
        services.BY_NAME,
        app.authenticator,
        app.admission,
        app.permissions,
        app.bus,
        app.deciphering.decipher,
        Replays(settings.aliyun_clock_window),
        app.metrics,
        Strangers(settings.stranger_rate),
        app.store.audit,
        app.readers,
        require_tls=require_tls,
    )
    return Entry(
        pipeline,
        app.sign_in.router(app.metrics, settings.public_url, require_tls=require_tls),
        console.router(
            app.store,
            app.keys,
            app.iam.sign_in,
            app.addresses,
            app.bus,
            app.instances,
            app.maintenance.call_history,
            app.operations.auditing,
            pipeline,
            dialects,
            services.BY_NAME,
            app.metrics,
            require_tls=require_tls,
        ),
    )
