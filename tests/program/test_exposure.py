"""What is told of how the program is reached: at the start, and by the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.cli.examination import _listening_findings
from rolecall.cli.running.authority import own_certificate
from rolecall.cli.running.exposure import exposure, reached_at
from rolecall.settings import Settings


@pytest.mark.parametrize(
    ("host", "settings", "told"),
    [
        ("127.0.0.1", {}, ""),
        ("localhost", {"require_tls": "off"}, ""),
        ("0.0.0.0", {}, "are refused"),
        ("192.0.2.1", {"require_tls": "off"}, "sent in clear"),
        ("0.0.0.0", {"trusted_proxies": ("10.0.0.1",)}, ""),
        ("0.0.0.0", {"tls_cert": "a.pem", "tls_key": "a.pem"}, ""),
    ],
)
def test_plain_http_beyond_this_machine_is_told(host: str, settings: dict[str, object], told: str) -> None:
    found = exposure(Settings.model_validate(settings), host)
    assert told in found
    assert bool(told) is bool(found)


def test_the_doctor_looks_at_the_certificate(tmp_path: Path) -> None:
    made = own_certificate(tmp_path / "tls", []).server
    (found,) = _listening_findings(Settings(tls_cert=made, tls_key=made))
    assert (found.check, found.ok, found.detail) == ("certificate", True, "expires in 396 days")
    (gone,) = _listening_findings(Settings(tls_cert=tmp_path / "gone", tls_key=made))
    assert (gone.check, gone.ok) == ("certificate", False)
    (exposed,) = _listening_findings(Settings(listen="0.0.0.0:7653"))
    assert (exposed.check, exposed.ok) == ("listening", False)


@pytest.mark.parametrize(
    ("listening", "told"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("192.0.2.1", "192.0.2.1")],
)
def test_the_ready_file_tells_an_address_that_clients_can_use(listening: str, told: str) -> None:
    assert reached_at(listening) == told
