"""`rolecall webhook`, and that a running server posts what a call leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.receiver import receiving
from tests.waiting import reached


async def test_a_server_posts_the_record_of_a_call(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    hook, user = name("hook"), name("posted")
    async with receiving() as receiver:
        added = rolecall.cli("webhook", "add", hook, receiver.url, "--json")
        (webhook,) = json.loads(added.stdout)
        try:
            answer = rolecall.ok("CreateAccount", UserName=user, Type="normal", Password="Posted_password1")

            def posted() -> dict[str, Any] | None:
                data = (request.event["data"] for request in receiver.received)
                return next((row for row in data if row.get("request_id") == answer["RequestId"]), None)

            row = await reached(posted)
            assert (row["action"], row["target"], row["outcome"]) == ("CreateAccount", user, "recorded")
            own = [request.event["data"] for request in receiver.received if request.confirmed]
            assert any((row["action"], row["target"]) == ("webhook add", hook) for row in own)
            (found,) = json.loads(rolecall.cli("webhook", "list", "--filter", hook, "--json").stdout)
            assert (found["origin"], found["paused"]) == (f"http://127.0.0.1:{receiver.port}", "")
            assert webhook["secret"].startswith("whsec_")
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"{rolecall.endpoint}/metrics")).text
            assert f'rolecall_webhook_posts_total{{outcome="confirmed",webhook="{hook}"}}' in text
        finally:
            rolecall.cli("webhook", "remove", hook)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("add", "Upper", "https://hooks.example/"), "is not a name"),
        (("add", "siem", "http://hooks.example/secret"), "use https://"),
        (("add", "siem", "https://a:b@hooks.example/"), "must not contain a user"),
        (
            ("add", "siem", "https://hooks.example/", "--from", "then"),
            "--from is now, beginning or a position",
        ),
        (("add", "siem", "https://hooks.example/", "--from", "9" * 15), "ends at position"),
        (("add", "siem", "https://hooks.example/", "--secret-file", "short"), "24 to 64 bytes"),
        (("replay", "absent", "--after", "x"), "--after is a position"),
        (("replay", "absent", "--after", "0"), "there is no webhook `absent`"),
        (("pause", "absent"), "there is no webhook `absent`"),
        (("rotate", "absent"), "there is no webhook `absent`"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(
    rolecall: Rolecall, tmp_path: Any, arguments: tuple[str, ...], error: str
) -> None:
    (tmp_path / "short").write_text("whsec_c2hvcnQ=\n")
    words = [str(tmp_path / word) if word == "short" else word for word in arguments]
    done = rolecall.cli("webhook", *words, check=False)
    assert (done.returncode, error in done.stderr) == (1, True), done.stderr
    assert "hooks.example/secret" not in done.stderr


def test_a_secret_of_a_file_is_used_and_not_shown(
    rolecall: Rolecall, tmp_path: Any, name: Callable[[str], str]
) -> None:
    hook, file = name("given"), tmp_path / "secret"
    file.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")  # of the specification's examples
    added = rolecall.cli("webhook", "add", hook, "https://127.0.0.1:1/", "--secret-file", str(file), "--json")
    try:
        assert json.loads(added.stdout)[0]["secret"] is None
        again = rolecall.cli("webhook", "add", hook, "https://127.0.0.1:1/", check=False)
        assert (again.returncode, "already" in again.stderr) == (1, True)
    finally:
        rolecall.cli("webhook", "remove", hook)
