"""`rolecall seed` on a running Rolecall: one run makes what a file lists, a second one changes nothing."""

from __future__ import annotations

import json
import secrets
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Rolecall
from tests.server.cam import Cam

from rolecall.cli.errors import CommandError
from rolecall.cli.seeding.document import SeedFile
from rolecall.cli.seeding.secrets import SecretsFile

SEED = '''
[[instances]]
name = "{mark}"
url = "postgresql://{engine[user]}@{engine[host]}:{engine[port]}/postgres"
password_env = "SEED_SERVER_PASSWORD"

[[tags]]
key = "{mark}"
value = "yes"

[[policies]]
name = "{mark}"
description = "everything of postgres"
tags = {{ made = "by-seed" }}
[policies.document]
version = "2.0"
statement = [{{ effect = "allow", action = ["postgres:*"], resource = ["*"] }}]

[[groups]]
name = "{mark}"
policies = ["{mark}"]

[[roles]]
name = "{mark}"
trust = """{{"version": "2.0", "statement": [{{"effect": "allow", "action": "name/sts:AssumeRole",
  "principal": {{"qcs": ["qcs::cam::uin/{uin}:root"]}}}}]}}"""
policies = ["QcloudCamReadOnlyAccess"]

[[sub_users]]
name = "{mark}"
remark = "a deployer"
console_login = true
generate = true
key = true
groups = ["{mark}"]
policies = ["QcloudCamReadOnlyAccess"]

[[accounts]]
instance = "{mark}"
name = "{mark}_app"
remark = "of the shop"
password_file = "app.password"

[[accounts]]
instance = "quickstart"
name = "{mark}_locked"
locked = true
generate = true

[[user_stores]]
name = "{mark}"
groups = ["staff"]

[[users]]
store = "{mark}"
name = "ada"
email = "ada@{host}.example"
groups = ["staff"]
generate = true

[[applications]]
store = "{mark}"
name = "shop"
redirect_uris = ["https://shop.example/callback"]
'''


class Seeded:
    """A seed file of its own names on a running Rolecall."""

    def __init__(self, rolecall: Rolecall, mark: str, directory: Path) -> None:
        self.rolecall = rolecall
        self.mark = mark
        self.file = directory / "seed.toml"
        self.secrets = directory / "seed.toml.secrets.json"
        self.engine = rolecall.ready["engines"]["postgres"]
        self.text = SEED.format(
            mark=mark, engine=self.engine, uin=rolecall.ready["owner"]["uin"], host=mark.replace("_", "-")
        )
        self.write(self.text)
        (directory / "app.password").write_text("Seeded_password1\n")

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def run(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.rolecall.cli(
            "seed", str(self.file), *options, check=check, SEED_SERVER_PASSWORD=self.engine["password"]
        )

    def rows(self, *options: str) -> list[dict[str, Any]]:
        return list(json.loads(self.run("--json", *options).stdout))

    def todo(self, *options: str) -> set[str]:
        return {row["todo"] for row in self.rows(*options)}

    def kept(self) -> dict[str, dict[str, str]]:
        return dict(json.loads(self.secrets.read_text()))


@pytest.fixture(scope="module")
def seeded(rolecall: Rolecall, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A file that was planned and then carried out once. Its instance, a server of others, is forgotten afterwards."""
    found = Seeded(rolecall, f"seed_{secrets.token_hex(4)}", tmp_path_factory.mktemp("seed"))
    assert found.todo("--dry-run") == {"create"}
    assert not found.secrets.exists()
    planned = [(row["kind"], row["name"]) for row in found.rows("--dry-run")]
    done = found.rows()
    assert [(row["kind"], row["name"]) for row in done] == planned
    assert {row["todo"] for row in done} == {"create"}
    yield found
    (instance,) = json.loads(rolecall.cli("instance", "list", "--filter", found.mark, "--json").stdout)
    rolecall.cli("instance", "remove", instance["id"])


def test_a_second_run_changes_nothing(seeded: Seeded) -> None:
    before = seeded.secrets.read_text()
    assert seeded.todo() == {"unchanged"}
    assert seeded.todo("--dry-run") == {"unchanged"}
    assert seeded.secrets.read_text() == before


def test_what_was_made_works(seeded: Seeded) -> None:
    rolecall, mark, kept = seeded.rolecall, seeded.mark, seeded.kept()
    assert stat.S_IMODE(seeded.secrets.stat().st_mode) == 0o600
    assert rolecall.can_log_in(f"{mark}_app", "Seeded_password1")
    locked = kept[f"accounts/quickstart/{mark}_locked"]["password"]
    assert not rolecall.can_log_in(f"{mark}_locked", locked)
    rolecall.cli("account", "unlock", f"{mark}_locked", "--instance", "quickstart")
    assert rolecall.can_log_in(f"{mark}_locked", locked)
    assert seeded.rows()[-4]["fields"] == ["locked"]  # and the run locked it again
    assert not rolecall.can_log_in(f"{mark}_locked", locked)
    key = kept[f"sub_users/{mark}"]
    caller = Cam(rolecall, key["secret_id"], key["secret_key"])
    assert caller.ok("GetUserAppId")["OwnerUin"] == str(rolecall.ready["owner"]["uin"])
    assert (
        rolecall.call("DescribeDBInstances", {}, secret_id=key["secret_id"], secret_key=key["secret_key"])[
            "TotalCount"
        ]
        >= 1
    )
    assert len(kept[f"applications/{mark}/shop"]["client_secret"]) > 20
    listed = json.loads(rolecall.cli("store", "list", "--filter", mark, "--json").stdout)
    assert [(store["users"], store["applications"]) for store in listed] == [(1, 1)]


def test_the_changes_are_recorded_and_hold_no_secret(seeded: Seeded) -> None:
    records = seeded.rolecall.cli("audit", "list", "--limit", "100000", "--json").stdout
    found = {row["action"] for row in json.loads(records) if row["dialect"] == "cli"}
    assert found >= {"seed", "seed instance", "seed application"}
    for kept in seeded.kept().values():
        for field, text in kept.items():
            assert text not in records or field in {"secret_id", "client_id"}
    assert "Seeded_password1" not in records


def test_a_changed_file_changes_what_differs_and_no_more(seeded: Seeded) -> None:
    changed = (
        seeded.text.replace('remark = "a deployer"', 'remark = "another"')
        .replace('description = "everything of postgres"', 'description = "all"')
        .replace('"postgres:*"', '"postgres:Describe*"')
        .replace('remark = "of the shop"', 'remark = "changed"')
        .replace('made = "by-seed"', 'made = "again"')
        .replace('groups = ["staff"]\n\n[[users]]', 'groups = ["staff", "guests"]\n\n[[users]]')
        .replace("ada@", "lovelace@")
    )
    seeded.write(changed)
    try:
        fields = {
            row["kind"]: row["fields"] for row in seeded.rows("--dry-run") if row["todo"] != "unchanged"
        }
        assert fields == {
            "sub-user": ["remark"], "policy": ["description", "document", "tags"], "account": ["remark"],
            "user store": ["groups"], "user": ["email"],
        }  # fmt: skip
        assert seeded.todo() == {"change", "unchanged"}
        assert seeded.todo() == {"unchanged"}
        shown = seeded.rolecall.cli("policy", "show", seeded.mark).stdout
        assert "postgres:Describe*" in shown
    finally:
        seeded.write(seeded.text)
        seeded.run()


def test_nothing_is_changed_if_one_table_is_wrong(seeded: Seeded, name: Callable[[str], str]) -> None:
    other = name("other")
    broken = f'\n[[groups]]\nname = "{other}"\n[[sub_users]]\nname = "{other}"\ngroups = ["no such group"]\n'
    seeded.write(seeded.text + broken)
    try:
        done = seeded.run(check=False)
    finally:
        seeded.write(seeded.text)
    assert done.returncode == 1
    assert done.stderr.startswith(f"rolecall: {seeded.file}:")
    assert done.stderr.endswith("sub_users[1].groups[0]: there is no group `no such group`\n")
    assert seeded.todo() == {"unchanged"}
    assert other not in seeded.rolecall.cli("operation", "list", "--limit", "200").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "it is not TOML: Invalid value (at end of document)"),
        ("[[account]]\n", "Object contains unknown field `account`"),
        ("[[groups]]\nname='a'\n[[groups]]\nname = 3\n", ":3: groups[1].name: Expected `str`, got `int`"),
        ('[[groups]]\nname = "a b"\n', ":1: groups[0].name: Expected `str` matching regex"),
        ("[[accounts]]\nname = 'a'\n", ":1: accounts[0]: Object missing required field `instance`"),
        (
            '[[sub_users]]\nname = "a"\nremark = "\\u0000"\n',
            ":1: sub_users[0].remark: it has the character NUL",
        ),
        (
            '[[accounts]]\ngrants = { "\\u0000" = "read" }\n',
            ":1: accounts[0].grants: it has the character NUL",
        ),
        (f"x = {'[' * 5000}", "it is nested too deeply"),
        (
            '[[accounts]]\ninstance="i"\nname="a"\nkind="root"\n',
            ":1: accounts[0].kind: Invalid enum value 'root'",
        ),
    ],
)
def test_a_file_that_is_not_a_seed_is_refused_with_line_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(text)
    with pytest.raises(CommandError) as refused:
        SeedFile(file)
    assert str(refused.value).startswith(str(file))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[accounts]]\ninstance="nowhere"\nname="a"\ngenerate=true\n',
            ":1: accounts[0].instance: there is no",
        ),
        ('[[accounts]]\ninstance="quickstart"\nname="a"\n', ":1: accounts[0]: give one of password_file"),
        (
            '[[accounts]]\ninstance="quickstart"\nname="a"\npassword_env="UNSET_HERE"\n',
            ":1: accounts[0].password_env: the variable UNSET_HERE is not set",
        ),
        (
            '[[accounts]]\ninstance="quickstart"\nname="a"\npassword_file="none"\n',
            ":1: accounts[0].password_file: cannot read the password",
        ),
        (
            '[[accounts]]\ninstance="quickstart"\nname="pg_x"\ngenerate=true\n',
            ":1: accounts[0].name: the server",
        ),
        ('[[policies]]\nname="x"\ndocument="{}"\n', ":1: policies[0].document: it is not a valid document"),
        ('[[policies]]\nname="x"\n', ":1: policies[0]: give one of document and document_file"),
        ('[[roles]]\nname="x"\ntrust="{"\n', ":1: roles[0].trust: it is not a valid document"),
        ('[[groups]]\nname="x"\n[[groups]]\nname="x"\n', ":3: groups[1]: the file lists it twice"),
        ('[[groups]]\nname="x"\npolicies=["y"]\n', ":1: groups[0].policies[0]: there is no policy `y`"),
        ('[[users]]\nstore="none"\nname="x"\ngenerate=true\n', ":1: users[0].store: there is no user store"),
        (
            '[[instances]]\nname="x"\nurl="oracle://a@b"\npassword_env="HOME"\n',
            ":1: instances[0].url: it is not",
        ),
    ],
)
def test_a_seed_that_cannot_be_carried_out_is_refused_before_the_first_change(
    rolecall: Rolecall, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(text)
    done = rolecall.cli("seed", str(file), check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"{file}{message}" in done.stderr


def test_a_file_of_secrets_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text("{}")
    file.chmod(0o644)
    with pytest.raises(CommandError, match="others may read it"):
        SecretsFile(file)
    file.chmod(0o600)
    file.write_text("[]")
    with pytest.raises(CommandError, match="is not a file of secrets"):
        SecretsFile(file)
