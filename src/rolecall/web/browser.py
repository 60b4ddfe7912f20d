"""Cookies, and the tokens that tie a form to the browser it was sent to.

A session's cookie holds its id. Before there is one, a cookie of its own ties the form: what a foreign page sends
comes without it. The token in a form is a digest of the cookie, so that a page never shows the cookie itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from rolecall.domain.secrets import bearer
from rolecall.values import Request, Secret
from rolecall.web import forms
from rolecall.web.replies import Headers


def session_id(request: Request, realm: str) -> Secret | None:
    return forms.cookie(request, _name(request, realm))


def session_cookie(request: Request, realm: str, session: Secret) -> Headers:
    return (_cookie(request, _name(request, realm), session.reveal()),)


def expired_session_cookie(request: Request, realm: str) -> Headers:
    """Nothing for a request without the cookie: what a foreign page sends comes without it, and must end no session."""
    if session_id(request, realm) is None:
        return ()
    return (_cookie(request, _name(request, realm), "", "; Max-Age=0"),)


def form_token(request: Request, realm: str) -> tuple[str, Headers]:
    """The token for a form before sign-in, and the headers that go with it."""
    known = forms.cookie(request, _form_name(request, realm))
    tie = known or bearer.fresh()
    return token_for(tie), (_cookie(request, _form_name(request, realm), tie.reveal()),)


def form_is_tied(request: Request, realm: str, token: str) -> bool:
    return tied_to(forms.cookie(request, _form_name(request, realm)), request, token)


def token_for(cookie: Secret) -> str:
    """What stands in a form that only the browser with this cookie may send."""
    made = hashlib.sha256(f"form:{cookie.reveal()}".encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def tied_to(cookie: Secret | None, request: Request, token: str) -> bool:
    """Whether a form came from our own page, in the browser with this cookie."""
    if request.header("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return cookie is not None and hmac.compare_digest(token_for(cookie).encode(), token.encode())


def _name(request: Request, realm: str) -> str:
    return f"{_prefix(request)}rolecall-{realm}"


def _form_name(request: Request, realm: str) -> str:
    return f"{_prefix(request)}rolecall-form-{realm}"


def _prefix(request: Request) -> str:
    """Over HTTPS only this host itself can have set it (RFC 6265bis 4.1.3.2)."""
    return "__Host-" if request.secure else ""


def _cookie(request: Request, name: str, value: str, more: str = "") -> tuple[str, str]:
    secure = "; Secure" if request.secure else ""
    return ("set-cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}")
