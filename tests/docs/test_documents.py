"""The documents are true: links resolve, targets exist, generated pages are fresh, examples run."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import secrets
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncmy
import pytest
from asyncmy.errors import MySQLError
from tests.waiting import until

from rolecall.contracts.aliyun.petadata import contract as petadata
from rolecall.contracts.model import Action, Contract
from rolecall.contracts.openstack.databases import contract as databases
from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.ciam import contract as ciam
from rolecall.contracts.tencent.postgres import contract as postgres
from rolecall.services import SERVICES
from rolecall.values import Secret

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ALL_DOCUMENTS = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
README = (ROOT / "README.md").read_text("utf-8")
INDEX = (ROOT / "docs" / "README.md").read_text("utf-8")
CLIENTS = (ROOT / "docs" / "clients.md").read_text("utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


def anchors(text: str) -> set[str]:
    """Headings as a forge makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def block(text: str, language: str) -> str:
    """The one fenced block of a language."""
    (found,) = blocks(text, language)
    return found


@ALL_DOCUMENTS
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path) if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text("utf-8")), target


@ALL_DOCUMENTS
def test_every_path_of_this_repository_that_a_document_names_exists(document: Path) -> None:
    for name in re.findall(
        r"`((?:src|tests|docs|scripts|vectors|bench)/[\w./-]+)`", document.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name


def test_every_page_of_docs_is_linked_from_the_index() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"({page.name})" in INDEX or page.name == "README.md"


def test_the_site_has_every_page_in_the_order_of_the_index() -> None:
    """`make site` resolves every link; here is what holds without the program that builds it."""
    pages = re.findall(r"^ +- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert pages == ["README.md", *re.findall(r"\]\(([\w-]+\.md)\)", INDEX)]
    for page in pages:
        assert "](../" not in (ROOT / "docs" / page).read_text("utf-8"), f"{page} leaves the site"


def test_every_picture_is_shown_and_stays_small() -> None:
    """That those which are shown exist is a matter of links, above."""
    shown = {
        (document.parent / target).resolve()
        for document in DOCUMENTS
        for target in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", document.read_text("utf-8"))
    }
    pictures = set((ROOT / "docs" / "pictures").iterdir())
    assert pictures == shown
    assert all(picture.stat().st_size <= 120 * 1024 for picture in pictures)


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"(?:`|^ {4})make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE)
        assert set(named) <= targets, document.name


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize(
    "contract", [postgres.CONTRACT, cam.CONTRACT, ciam.CONTRACT, petadata.CONTRACT, databases.CONTRACT]
)
def test_the_readme_counts_the_actions_right(contract: Contract) -> None:
    row = next(
        line for line in README.splitlines() if f"docs/{contract.dialect}-{contract.service}.md" in line
    )
    assert f"{len(contract.actions)} actions" in row


def test_the_contracts_pages_are_what_the_contracts_say_now() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "contract_docs.py", "--check"], check=False)
    assert done.returncode == 0, "run make docs"


CONTRACTS = [service.contract for service in SERVICES]
ACTIONS = [
    pytest.param(contract, action, id=f"{contract.service}-{contract.version}-{action.name}")
    for contract in CONTRACTS
    for action in contract.actions.values()
]


def page_of(contract: Contract) -> Path:
    return ROOT / "docs" / f"{contract.dialect}-{contract.service}.md"


@pytest.mark.parametrize(("contract", "action"), ACTIONS)
def test_every_action_has_its_parameters_and_outputs_on_the_contracts_page(
    contract: Contract, action: Action
) -> None:
    page = page_of(contract).read_text("utf-8")
    if contract.service == "identity":  # one table for both versions
        assert f"| {action.name} |" in page
        return
    found = re.search(rf"^## {action.name}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    owners = {"OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount"}  # said once, in the head
    for name in (*{field.name for field in action.params} - owners, *action.output):
        assert f"`{name}`" in found[1]


@pytest.mark.parametrize("contract", CONTRACTS[1:], ids=lambda one: f"{one.service}-{one.version}")
def test_every_error_code_that_the_contract_answers_is_on_its_page(contract: Contract) -> None:
    page = page_of(contract).read_text("utf-8")
    tables = [contract.errors, *(action.errors for action in contract.actions.values())]
    beside = page + page_of(databases.CONTRACT).read_text("utf-8") if contract.service == "identity" else page
    for row in (row for table in tables for row in table.values()):
        assert f"`{row.code}`" in beside


@pytest.mark.parametrize("action", postgres.CONTRACT.actions.values(), ids=lambda action: action.name)
def test_every_code_that_the_vendor_lists_for_an_action_is_on_tencents_page(action: Action) -> None:
    page = page_of(postgres.CONTRACT).read_text("utf-8")
    found = re.search(rf"^## {action.name}$(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    for code in action.codes:
        assert f"`{code}`" in found[1]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: f"{one.service}-{one.version}")
def test_every_service_that_is_served_has_a_page(contract: Contract) -> None:
    assert page_of(contract).exists()


def example_says(rolecall: Any, language_block: str, **names: str) -> list[str]:
    """What an example of docs/clients.md prints. Only the place of the ready file and names are put in."""
    assert language_block.count('"~/.local/share/rolecall/ready.json"') == 1
    source = language_block.replace("~/.local/share/rolecall/ready.json", str(rolecall.data / "ready.json"))
    for name, instead in names.items():
        source = source.replace(f'"{name}"', f'"{instead}"')
    output = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(output):
        warnings.simplefilter("ignore")  # what the vendors' packages do is theirs
        exec(compile(source, "clients.md", "exec"), {"__name__": "example"})
    return output.getvalue().splitlines()


@pytest.fixture(scope="module")
def mysql(rolecall: Any) -> Iterator[Any]:
    """The ready file's MariaDB; the other tests' accounts do not count against this one's quota."""
    if "mysql" not in rolecall.ready["engines"]:
        pytest.skip("no MariaDB on this system")
    quota = ("instance", "set", rolecall.ready["aliyun"]["instance_id"], "--account-quota")
    rolecall.cli(*quota, "0")
    yield rolecall.ready["engines"]["mysql"]
    rolecall.cli(*quota, "3")


def logs_in(engine: Any, user: str, password: str, database: str | None = None) -> bool:
    async def connect() -> bool:
        try:
            connection = await asyncmy.connect(
                host=engine["host"], port=engine["port"], user=user, password=password, db=database
            )
        except MySQLError:
            return False
        await connection.ensure_closed()
        return True

    return asyncio.run(connect())


def test_the_tencent_example_runs_as_it_stands(rolecall: Any, name: Callable[[str], str]) -> None:
    user = name("readme")
    created, again = example_says(rolecall, blocks(CLIENTS, "python")[0], sdk_user=user)
    assert re.fullmatch(r"CreateAccount: [0-9a-f-]{36}", created)
    assert again == "again: FailedOperation.PreCheckError"
    assert f"`{again}`" in CLIENTS
    assert rolecall.can_log_in(user, "Test_password1")
    rolecall.ok("DeleteAccount", UserName=user)


def test_the_alibaba_example_runs_as_it_stands(rolecall: Any, mysql: Any) -> None:
    user = f"rm_{secrets.token_hex(3)}"
    assert example_says(rolecall, blocks(CLIENTS, "python")[1], app_user=user) == ["ACTIVE"]
    assert "It prints `ACTIVE`" in CLIENTS
    assert logs_in(mysql, user, "Test_password1")


def test_the_openstack_example_runs_as_it_stands(rolecall: Any, mysql: Any) -> None:
    user, database = (f"{prefix}_{secrets.token_hex(3)}" for prefix in ("rm", "shop"))
    printed = example_says(rolecall, blocks(CLIENTS, "python")[2], shop_reader=user, shop=database)
    assert printed == [f"['{database}']"]
    assert "prints `['shop']`" in " ".join(CLIENTS.split())
    until(lambda: logs_in(mysql, user, "Test_password1", database))  # promised, and made at once


def test_the_example_of_a_sub_user_runs_as_it_stands(rolecall: Any, name: Callable[[str], str]) -> None:
    names = {each: name("readme") for each in ("deployer", "deployed", "deploy")}
    printed = example_says(rolecall, blocks(CLIENTS, "python")[3], **names)
    assert printed == ["AuthFailure.UnauthorizedOperation", "created"]
    assert all(f"`{each}`" in CLIENTS for each in printed)


@pytest.mark.parametrize(
    ("language", "program"), [("sh", ("sh", "-euc")), ("python", (sys.executable, "-c"))]
)
def test_a_password_encrypted_as_the_security_page_shows_is_the_accounts_password(
    rolecall: Any, name: Callable[[str], str], language: str, program: tuple[str, ...]
) -> None:
    script = block(SECURITY, language)
    assert script.count("http://127.0.0.1:7653") == 1
    script = script.replace("http://127.0.0.1:7653", rolecall.endpoint)
    done = subprocess.run([*program, script], capture_output=True, text=True, check=True)
    encrypted = Secret(done.stdout.rstrip("\n"))
    user = name("sealed")
    rolecall.ok("CreateAccount", UserName=user, Type="normal", Password=encrypted.reveal())
    assert rolecall.can_log_in(user, "Test_password1")


def test_the_ready_file_has_the_keys_that_the_configuration_page_shows(rolecall: Any, mysql: Any) -> None:
    shown = json.loads(block((ROOT / "docs" / "configuration.md").read_text("utf-8"), "json"))

    def keys(value: Any) -> Any:
        return (
            {key: keys(member) for key, member in value.items()} if isinstance(value, dict) else type(value)
        )

    assert keys(shown) == keys(rolecall.ready)


def test_the_metrics_that_the_configuration_page_names_are_served(rolecall: Any) -> None:
    import httpx

    rolecall.ok("DescribeAccounts")
    text = httpx.get(f"{rolecall.endpoint}/metrics").text
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for metric in re.findall(r"`(rolecall_[a-z_]+)\{", page):
        assert metric in text
