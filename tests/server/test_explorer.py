"""The API Explorer over the wire: every action has a page, and its code does what it says."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD as SIGN_IN
from tests.server.cam import Cam
from tests.server.signin_browser import Browser
from tests.unit.explorer_calls import route_of

from rolecall.services import SERVICES
from rolecall.signing import tc3
from rolecall.values import Secret

PASSWORD = "Try_it_out1"
REMARK = 'it\'s $(id) "ok"'


@pytest.fixture
def owner(rolecall: Rolecall) -> Iterator[Browser]:
    (printed,) = json.loads(rolecall.cli("console", "--json").stdout)
    with Browser() as browser:
        browser.get(str(printed["link"]))
        yield browser


def address(rolecall: Rolecall, dialect: str, service: str, version: str, action: str) -> str:
    return "/".join((f"{rolecall.endpoint}/console/explorer", dialect, service, version, action))


def submit(browser: Browser, page: Any, at: str, **filled: str) -> Any:
    """Send the form of the action as it stands in the page, with changes."""
    form = page.text.partition('id="call">')[2].partition("</form>")[0]
    typed = dict(re.findall(r'<input [^>]*?name="([^"]+)" value="([^"]*)"', form))
    typed |= re.findall(r'<textarea [^>]*?name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    for name, options in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        typed[name] = "".join(re.findall(r"<option selected>([^<]*)", options))
    typed.pop("confirm", None)  # a box that is not ticked
    return browser.client.post(at, data={name: html.unescape(text) for name, text in typed.items()} | filled)


def code(page: Any, language: str) -> str:
    found = re.search(rf'<pre id="code-{language}"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert found is not None, language
    return html.unescape(found[1])


def environment(rolecall: Rolecall, **more: str) -> Mapping[str, str]:
    cloud = rolecall.ready["openstack"]
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TENCENTCLOUD_SECRET_ID": rolecall.tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": rolecall.tencent["secret_key"],
        "ALIBABA_CLOUD_ACCESS_KEY_ID": rolecall.ready["aliyun"]["access_key_id"],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": rolecall.ready["aliyun"]["access_key_secret"],
        "OS_AUTH_URL": cloud["auth_url"],
        "OS_USERNAME": cloud["username"],
        "OS_PASSWORD": cloud["password"],
        "OS_PROJECT_ID": cloud["tenant_id"],
        **more,
    }


def run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_all(rolecall: Rolecall, page: Any, languages: list[str], **more: str) -> dict[str, str]:
    given = environment(rolecall, **more)
    return {
        language: run([sys.executable, "-c", code(page, language)] if language == "python"
                      else ["bash", "-c", code(page, language)], given)
        for language in languages
    }  # fmt: skip


def test_every_action_has_a_page_that_checks_and_reads_send(rolecall: Rolecall, owner: Browser) -> None:
    for service in SERVICES:
        contract = service.contract
        for action in contract.actions.values():
            at = address(rolecall, contract.dialect, contract.service, contract.version, action.name)
            page = owner.get(at)
            if contract.dialect == "openstack" and route_of(contract, action) is None:
                assert page.status_code == 404
                continue
            assert page.status_code == 200, action.name
            assert submit(owner, page, at, do="check").status_code in (200, 422), action.name
            if not action.changes:
                assert submit(owner, page, at, do="send").status_code in (200, 422), action.name


def test_a_change_is_sent_only_when_it_is_confirmed(
    rolecall: Rolecall, owner: Browser, name: Callable[[], str]
) -> None:
    account = name()
    at = address(rolecall, "tencent", "postgres", "2017-03-12", "CreateAccount")
    page = owner.get(f"{at}?UserName={quote(account)}")
    assert rolecall.instance_id in page.text
    unconfirmed = submit(owner, page, at, do="send", secret_Password=PASSWORD)
    assert unconfirmed.status_code == 422
    assert PASSWORD not in unconfirmed.text
    assert account not in rolecall.accounts()
    sent = submit(owner, unconfirmed, at, do="send", confirm="yes", secret_Password=PASSWORD)
    assert sent.status_code == 200
    assert PASSWORD not in sent.text
    assert "RequestId" in html.unescape(sent.text)
    assert account in rolecall.accounts()


def test_tencents_code_runs(rolecall: Rolecall, owner: Browser, name: Callable[[], str]) -> None:
    at = address(rolecall, "tencent", "postgres", "2017-03-12", "DescribeAccounts")
    for answer in run_all(rolecall, owner.get(at), ["curl", "tccli", "python"]).values():
        assert "Details" in answer
    at = address(rolecall, "tencent", "cam", "2019-01-16", "CreateGroup")
    group = name()
    page = owner.get(f"{at}?GroupName={group}&Remark={quote(REMARK)}")
    answer = run_all(rolecall, page, ["curl"])["curl"]
    assert "Error" not in answer, answer
    (found,) = Cam(rolecall).ok("ListGroups", Keyword=group)["GroupInfo"]
    assert found["Remark"] == REMARK


def test_aliyuns_code_runs(rolecall: Rolecall, owner: Browser) -> None:
    at = address(rolecall, "aliyun", "petadata", "2016-01-01", "DescribeAccounts")
    for answer in run_all(rolecall, owner.get(at), ["curl", "python"]).values():
        assert "RequestId" in answer
        assert "Code" not in answer


def test_openstacks_code_runs(rolecall: Rolecall, owner: Browser, name: Callable[[], str]) -> None:
    token = run(["bash", "-c", code(owner.get(address(rolecall, "openstack", "identity", "v3", "IssueToken")), "curl")],
                environment(rolecall))  # fmt: skip
    found = re.search(r"(?i)^x-subject-token: (\S+)", token, re.MULTILINE)
    assert found is not None, token
    at = address(rolecall, "openstack", "database", "v1.0", "ListUsers")
    page = owner.get(at)
    answers = run_all(rolecall, page, ["curl", "python"], OS_TOKEN=found[1])
    run_all(rolecall, page, ["openstack"], OS_USER_DOMAIN_ID="default", OS_IDENTITY_API_VERSION="3")
    assert '"users"' in answers["curl"]
    assert '"users"' in answers["python"]
    user = json.dumps([{"name": name(), "password": "$SECRET"}])
    at = address(rolecall, "openstack", "database", "v1.0", "CreateUsers")
    page = submit(owner, owner.get(at), at, do="check", secret_in_users=user, secret_users=PASSWORD)
    assert page.status_code == 200, page.text
    assert PASSWORD not in page.text
    assert " 202 " in run_all(rolecall, page, ["curl"], OS_TOKEN=found[1], PASSWORD=PASSWORD)["curl"]


def test_a_sub_user_is_checked_by_its_policies_and_asks_about_its_own_keys_alone(rolecall: Rolecall) -> None:
    cam = Cam(rolecall)
    added = cam.add(ConsoleLogin=1, UseApi=1, Password=SIGN_IN, NeedResetPassword=0)
    with Browser(address="198.51.100.7") as browser:
        page = browser.get(f"{rolecall.endpoint}/console/sign-in")
        number = str(rolecall.ready["owner"]["uin"])
        browser.send(page, owner=number, name=added["Name"], secret_password=SIGN_IN)
        at = address(rolecall, "tencent", "postgres", "2017-03-12", "DescribeAccounts")
        page = browser.get(f"{at}?DBInstanceId={rolecall.instance_id}")
        checked = submit(browser, page, at, do="check")
        assert "you may not call this" in checked.text
        assert "no policy allows it" not in checked.text  # it may not read policies
        assert "UnauthorizedOperation" in submit(browser, page, at, do="send").text
        at = f"{rolecall.endpoint}/console/explorer/signature"
        csrf = re.findall(r'name="csrf" value="([^"]+)"', browser.get(at).text)[0]
        for key_id, key, said in (
            (added["SecretId"], added["SecretKey"], "Nothing is wrong"),
            (rolecall.tencent["secret_id"], rolecall.tencent["secret_key"], "There is no key"),
            ("AKIDunknown", "x", "There is no key"),
        ):
            signed = tc3.post_headers(
                key_id, Secret(key), service="cam", version="2019-01-16", action="GetUser", region="",
                timestamp=int(time.time()), host=rolecall.netloc, payload=b"{}",
            )  # fmt: skip
            text = (
                "POST / HTTP/1.1\n" + "".join(f"{name}: {value}\n" for name, value in signed.items()) + "\n{}"
            )
            explained = browser.client.post(at, data={"csrf": csrf, "secret_request": text})
            assert said in explained.text, explained.text
            assert key not in explained.text or key == "x"


def test_hints_say_what_a_value_may_be_and_not_where_a_rule_comes_from(
    rolecall: Rolecall, owner: Browser
) -> None:
    hints: list[str] = []
    for name in (
        ("tencent", "postgres", "2017-03-12", "CreateAccount"),
        ("tencent", "cam", "2019-01-16", "ListPolicies"),
        ("aliyun", "petadata", "2016-01-01", "CreateAccount"),
        ("openstack", "database", "v1.0", "CreateUsers"),
    ):
        page = owner.get(address(rolecall, *name))
        assert page.status_code == 200, name
        hints += re.findall(r'<p class="hint" id="input-[^"]+-hint">(.*?)</p>', page.text)
    assert "integer · default 20 · 1 to 200" in hints
    assert any("characters" in hint for hint in hints)
    assert not [hint for hint in hints if re.search(r"ours|\.py|manual|page of|API", hint)]
