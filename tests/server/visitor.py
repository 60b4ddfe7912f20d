"""A visitor of the console, with a browser that runs no scripts."""

from __future__ import annotations

import html
import re
import secrets

import httpx
from tests.server.cam import Cam
from tests.server.signin_browser import Browser

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Visitor:
    """Signed in at the console, by a browser without scripts."""

    def __init__(self, cam: Cam, **filled: str) -> None:
        self.endpoint = cam.rolecall.endpoint
        self.browser = Browser(address=f"198.51.100.{secrets.randbelow(250) + 1}")
        page = self.browser.get(f"{self.endpoint}/console/sign-in")
        entered = self.browser.send(page, **filled)
        assert entered.status_code == 303, entered.text

    def get(self, path: str) -> httpx.Response:
        return self.browser.client.get(f"{self.endpoint}{path}")

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form of the session."""
        token = _CSRF.findall(self.get("/console/me").text)[0]
        return self.browser.client.post(f"{self.endpoint}{path}", data={"csrf": token, **fields})

    def confirm(self, path: str) -> httpx.Response:
        """Open a link that leads to a confirmation, and confirm what it asks."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        (content,) = re.findall(r'<form method="post" [^>]*class="card">(.*?)</form>', page.text, re.DOTALL)
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', content))
        address = path.partition("?")[0]
        fields = {name: html.unescape(value) for name, value in fields.items()}
        return self.browser.client.post(f"{self.endpoint}{address}", data=fields)
