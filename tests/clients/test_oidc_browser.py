"""The sign-in page in Chromium itself: what a browser makes of its headers, no client that reads them can tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.clients.chromium import PROGRAM, Chromium
from tests.conftest import Rolecall
from tests.server.ciam import Ciam
from tests.server.signin_browser import Relying
from tests.server.test_signin import application

PASSWORD = "Right-Horse-42"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on this system")


@contextmanager
def site(location: Callable[[], str]) -> Iterator[str]:
    """An origin of its own, which redirects to `location`, or shows a page where that is empty."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            to = location()
            self.send_response(302 if to else 200)
            self.send_header("content-type", "text/html")
            if to:
                self.send_header("location", to)
            self.send_header("content-length", "0" if to else "7")
            self.end_headers()
            self.wfile.write(b"" if to else b"arrived")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_signing_in_leads_on_through_the_relying_partys_redirect_to_another_origin(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    """Chromium holds ``form-action`` against every redirect behind a form, also those that are not ours."""
    ciam = Ciam(rolecall)
    user = ciam.create()
    with site(lambda: "") as shop, site(lambda: f"{shop}/home") as callback:
        uri = f"{callback}/cb"
        added = application(rolecall, ciam.store, "--public", "--redirect-uri", uri)
        relying = Relying(f"{rolecall.endpoint}/oidc/{ciam.store}", added["client_id"], uri)
        with Chromium(tmp_path) as browser:
            browser.open(relying.asking)
            browser.until("document.querySelector('#login') !== null")
            for name, value in (("login", user["UserName"]), ("password", PASSWORD)):
                browser.run(f"document.querySelector('#{name}').value = '{value}'")
            browser.run("document.querySelector('button').click()")
            browser.until(f"location.href === '{shop}/home' && document.body.innerText === 'arrived'")
