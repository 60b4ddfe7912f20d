"""A browser without scripts: it keeps cookies, reads a page's form and sends it filled in."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

_FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Browser:
    """`address` is where it seems to come from: the server is told that its own machine is a proxy."""

    def __init__(self, address: str = "", **headers: str) -> None:
        forwarded = {"x-forwarded-for": address} if address else {}
        self.client = httpx.Client(timeout=60, trust_env=False, headers=forwarded | headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, url: str, **query: str) -> httpx.Response:
        return self.client.get(url, params=query or None)

    def send(self, page: httpx.Response, **filled: str) -> httpx.Response:
        """Send the page's first form; the form that chooses the language is in every page of the console."""
        forms = [form for form in _FORM.findall(page.text) if form[0] != "/console/language"]
        assert forms, page.text
        action, content = forms[0]
        hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(content)}
        return self.client.post(urljoin(str(page.url), html.unescape(action)), data=hidden | filled)

    def sign_in(self, url: str, login: str, password: str) -> httpx.Response:
        """Open the address and fill in the page that is shown."""
        page = self.client.get(url)
        assert page.status_code == 200, page.text
        return self.send(page, login=login, password=password)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == 303, answer.text
        return self.client.get(urljoin(str(answer.url), answer.headers["location"]))


def query_of(answer: httpx.Response) -> dict[str, str]:
    """The query of the address that a redirect leads to."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}


@dataclass
class Relying:
    """An application as simple as can be: what it asks, it asks by hand."""

    issuer: str
    client_id: str
    redirect_uri: str
    secret: str = ""
    headers: dict[str, str] | None = None
    verifier: str = ""

    @property
    def asking(self) -> str:
        """The address to send a browser to, with a fresh verifier."""
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid profile",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(f"{self.issuer}/oauth2/authorize", params=query))

    def post(self, path: str, **form: str) -> httpx.Response:
        own = {"client_id": self.client_id} | ({"client_secret": self.secret} if self.secret else {})
        return httpx.post(self.issuer + path, data=own | form, headers=self.headers, timeout=60)

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.post("/oauth2/token", **form | changes)

    def by_password(self, login: str, password: str, **more: str) -> httpx.Response:
        form = {"grant_type": "password", "username": login, "password": password, "scope": "openid"}
        return self.post("/oauth2/token", **form | more)

    def refresh(self, token: str) -> httpx.Response:
        return self.post("/oauth2/token", grant_type="refresh_token", refresh_token=token)

    def userinfo(self, token: str) -> httpx.Response:
        return httpx.get(f"{self.issuer}/userinfo", headers={"authorization": f"Bearer {token}"}, timeout=60)


def quickstart(rolecall: Any, *, replica: Any = None, **headers: str) -> Relying:
    """The application that the ready file names, on this replica."""
    ready = rolecall.tencent
    issuer = ready["oidc_issuer"]
    if replica is not None:
        issuer = issuer.replace(rolecall.endpoint, replica.endpoint)
    return Relying(issuer, ready["oidc_client_id"], ready["oidc_redirect_uri"], headers=headers)


def said(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer with the headers it must have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())
