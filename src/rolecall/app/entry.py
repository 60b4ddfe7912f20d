"""What answers requests: the pipeline of calls, and the router of sign-ins."""

from __future__ import annotations

from rolecall import services
from rolecall.app.application import Application
from rolecall.intake import Strangers
from rolecall.pipeline import Pipeline
from rolecall.signin.router import SignInRouter
from rolecall.signing.replay import Replays


def pipeline(app: Application, *, require_tls: bool = False) -> Pipeline:
    """`require_tls` refuses secrets by plain HTTP, and Alibaba's calls altogether, as the vendor does."""
    settings = app.settings
    return Pipeline(
        services.dialects(settings, require_tls=require_tls, external_tokens=app.external_tokens),
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


def sign_in_router(app: Application, *, require_tls: bool = False) -> SignInRouter:
    return app.sign_in.router(app.metrics, app.settings.public_url, require_tls=require_tls)
