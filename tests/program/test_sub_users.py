"""`rolecall sub-user` on a running Rolecall: what it makes is what callers see."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.conftest import Rolecall
from tests.server.cam import Cam


def test_a_sub_user_is_made_listed_and_deleted_with_its_key(
    rolecall: Rolecall, name: Callable[[str], str]
) -> None:
    user = name("operator")
    (made,) = json.loads(
        rolecall.cli(
            "sub-user", "add", user, "--remark", "by hand", "--console-login", "--key", "--json"
        ).stdout
    )
    assert len(made["password"]) == 32
    caller = Cam(rolecall, made["secret_id"], made["secret_key"])
    assert caller.ok("GetUserAppId")["Uin"] == str(made["uin"])
    listed = {one["name"]: one for one in json.loads(rolecall.cli("sub-user", "list", "--json").stdout)}
    assert listed[user]["remark"] == "by hand"
    assert made["password"] not in rolecall.cli("sub-user", "list").stdout
    assert rolecall.cli("sub-user", "delete", user).stdout == f"{user} is deleted\n"
    assert caller.code("GetUserAppId") == "AuthFailure.SecretIdNotFound"
    assert "sub-user add" in rolecall.cli("operation", "list", "--json").stdout


def test_what_is_wrong_is_one_line(rolecall: Rolecall, name: Callable[[str], str]) -> None:
    user = name("operator")
    rolecall.cli("sub-user", "add", user)
    for arguments, words in (
        (("add", user), "already"),
        (("add", "two words"), "letters, digits"),
        (("delete", user + "x"), "no such sub-user"),
    ):
        done = rolecall.cli("sub-user", *arguments, check=False)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    rolecall.cli("sub-user", "delete", user)
