"""The documents are true: links resolve, targets exist, generated pages are fresh, examples run."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rolecall.contracts.tencent.postgres import CONTRACT
from rolecall.pipeline import Service
from rolecall.values import Secret

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ALL_DOCUMENTS = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
README = (ROOT / "README.md").read_text("utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")
REFERENCE = (ROOT / "docs" / "tencent-postgres.md").read_text("utf-8")


def anchors(text: str) -> set[str]:
    """Headings as a forge makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def block(text: str, language: str) -> str:
    """The one fenced block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


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


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in README


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"(?:`|^ {4})make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE)
        assert set(named) <= targets, document.name


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 200


def test_the_readme_counts_the_actions_right() -> None:
    assert f"{len(CONTRACT.actions)} actions" in README


def test_the_contracts_page_is_what_the_contract_says_now() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "contract_docs.py", "--check"], check=False)
    assert done.returncode == 0, "run .venv/bin/python scripts/contract_docs.py"


@pytest.mark.parametrize("action", CONTRACT.actions.values(), ids=lambda action: action.name)
def test_every_action_has_its_parameters_and_error_codes_on_the_contracts_page(action: Any) -> None:
    found = re.search(rf"^## {action.name}$(.*?)(?=^## )", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found is not None
    for name in (*(field.name for field in action.params), *action.output, *action.codes):
        assert f"`{name}`" in found[1]


def test_every_service_that_is_served_has_a_page() -> None:
    from rolecall.assembly import SERVICES

    services: tuple[Service, ...] = tuple(SERVICES)
    for one in services:
        assert (ROOT / "docs" / f"{one.contract.dialect}-{one.contract.service}.md").exists()


def test_the_readmes_example_runs_as_it_stands(rolecall: Any, name: Callable[[str], str]) -> None:
    """Only the place of the ready file and the account's name are put in."""
    user = name("readme")
    source = block(README, "python")
    assert source.count('"~/.local/share/rolecall/ready.json"') == 1
    source = source.replace("~/.local/share/rolecall/ready.json", str(rolecall.data / "ready.json"))
    source = source.replace("app_user", user)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(source, "README.md", "exec"), {"__name__": "readme"})
    lines = output.getvalue().splitlines()
    assert re.fullmatch(r"CreateAccount: [0-9a-f-]{36}", lines[0])
    assert lines[1:] == ["again: FailedOperation.PreCheckError", f"logged in as {user}"]
    for line in lines[1:]:
        assert f"`{line.replace(user, 'app_user')}`" in README
    assert not rolecall.can_log_in(user, "Test_password1")


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


def test_the_ready_file_has_the_keys_that_the_configuration_page_shows(rolecall: Any) -> None:
    import json

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
