"""The words of sources and documents: plain English of the field, in names, docstrings, comments and messages."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping
from pathlib import Path

from tests.house.rules import for_each

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "rolecall"

INSTEAD = {
    # pattern, in any case, anywhere in a module: what to write
    r"trouble|mishap": "error",
    r"\bfor one in\b|\bfor one,": "the noun: for account in accounts",
    r"whoever": "whether, any user, the caller, the process that ...",
    r"(?<![`\"])nobody|anybody|somebody": "no user, any caller, another process, ...; or turn the sentence round",
    r"farewell|politest": "what is sent: signal, COM_QUIT, ...",
    r"\banew\b": "again; or nothing",
    r"(?<![a-z])told(?![a-z])": "notified, given, said, known",
    r"(?<![a-z])mend(s|ed|ing)?(?![a-z])": "repair, fix",
    r"(?<!there )(?<!there\n)\bis no (?!longer\b|more\b|less\b|one\b)": "is not a",
}

INSTEAD_IN_DOCUMENTS = {
    **INSTEAD,
    r"everybody|\bone's own\b": "every caller, all roles, ...; its own, a separate ...",
    r"\bstrangers?\b": "unauthenticated client, or what the client lacks",
    r"\bprov(e|es|en)\b": "authenticate, verify",
    r"\bmint(s|ed|ing)?\b": "create, issue",
    r"\bbuys?\b": "issue a token for",
    r"taken for dead|held up\b": "considered dead; paused, delayed",
    r"brought? to (its|their|an) end|brings .{1,40} to (its|their) end": "complete",
    r"\bfor trying\b": "for testing, for evaluation",
    r"\bsick\b": "faulty, unresponsive",
    r"\bgood for\b": "valid for",
    r"\bours\b(?!:)": "Rolecall's",
}
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("vectors/*/*.md"),
        ROOT / "Makefile",
        ROOT / "mkdocs.yml",
    ]
)

NOT_YET = {
    # Rooms that still have such words: files and directories. Delete a room's line once it has none; add no line.
}

RETIRED = {
    # room: names, without underscores before them, that were replaced there: what to call the thing
    "": {
        "Ask": "PolicyRequest",
        "ask_of": "policy_request",
        "attach_instance": "connect_instance",
        "Attachments": "EngineRegistry",
        "BackChannel": "TokenEndpoints",
        "Borrowed": "OpenedSession",
        "Creations": "CreateBatcher",
        "Entrance": "AuthorizationEndpoint",
        "fulfil": "complete",
        "furnish": "create_initial_objects",
        "Gate": "PasswordLogin",
        "go_on": "schedule",
        "heir_role": "reassign_role",
        "Held": "EffectivePolicy",
        "House": "Application",
        "judge": "require_owned",
        "Lending": "SessionCredentials",
        "lent": "issued",
        "Lent": "IssuedSession",
        "newcomer": "new_target",
        "Newcomer": "PendingAccount",
        "NoWayBack": "InvalidClientRedirect",
        "OF_PEOPLE": "IDENTITY_REASONS",
        "of_people": "identity_only",
        "Passkey": "SubUserTokenKey",
        "Presences": "CurrentUser",
        "Promises": "DeferredCreates",
        "reach": "resolver",
        "Reach": "InstanceResolver",
        "RememberedAnswers": "TokenCache",
        "SignIn": "SubUserSignIn, SignInEndpoints",
        "SignInRoom": "SignInRouter",
        "Superusers": "TenantSuperusers",
        "telling": "exact",
        "to_come": "allow_missing",
        "Upkeep": "ServerReconciler",
        "Vouched": "KeystoneToken",
        "WayBack": "RedirectTarget",
        "Wish": "ErrorPreference",
    },
    "domain/accounts": {
        "attached": "connected",
        "coming": "making",
        "keep_promise": "complete_deferred",
        "label": "display_name",
        "promises": "deferred",
        "work": "context",
    },
    "domain/instances": {"attach": "connect", "attached": "connected", "attachments": "registry"},
    "domain/maintenance": {
        "attached": "connected",
        "gate": "slots",
        "promises": "deferred",
        "work": "context",
    },
    "domain/provisioning": {"attached": "connected", "attachments": "registry"},
}
VERBS_OF_REFUSING = re.compile(r"(keep|expect)_")
"""`require_...` is the name of what raises unless something holds."""

FILES = [*PACKAGE.rglob("*.py"), *(PACKAGE / "store" / "queries").glob("*.sql")]
MODULES = sorted(path.relative_to(PACKAGE) for path in FILES)


def exempt(module: Path) -> bool:
    return any(str(place) in NOT_YET for place in (module, *module.parents))


def words_to_avoid(text: str, instead_of: Mapping[str, str]) -> dict[str, str]:
    """By place and word: what to write."""
    return {
        f"line {text.count(chr(10), 0, match.start()) + 1}: {match.group()!r}": instead
        for pattern, instead in instead_of.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    }


@for_each([module for module in MODULES if not exempt(module)])
def test_a_module_is_written_in_plain_english(module: Path) -> None:
    assert words_to_avoid((PACKAGE / module).read_text("utf-8"), INSTEAD) == {}


@for_each(DOCUMENTS, lambda path: str(path.relative_to(ROOT)))
def test_a_document_is_written_in_plain_english(document: Path) -> None:
    """Code may have other words: names of settings, and vendors' messages in tables of errors."""
    text = document.read_text("utf-8")
    for code in (r"^```.*?^```$", r"`[^`]*`", r"~~.*?~~"):
        text = re.sub(code, lambda match: "\n" * match[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    assert words_to_avoid(text, INSTEAD_IN_DOCUMENTS) == {}


def test_the_rooms_with_other_words_are_rooms() -> None:
    assert [room for room in sorted(NOT_YET) if not (PACKAGE / room).exists()] == []


def names(module: Path) -> set[str]:
    source = (PACKAGE / module).read_bytes()
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return {token.string.lstrip("_") for token in tokens if token.type == tokenize.NAME}


@for_each([module for module in MODULES if module.suffix == ".py"])
def test_a_module_uses_the_names_that_things_have_now(module: Path) -> None:
    here = names(module)
    retired = {
        name: instead
        for room, replaced in RETIRED.items()
        for name, instead in replaced.items()
        if name in here and (not room or Path(room) in module.parents)
    }
    assert retired == {}
    assert [name for name in here if name.endswith("Book")] == [], "*Repository"
    if "domain" in module.parts:
        assert [name for name in here if VERBS_OF_REFUSING.match(name)] == []
