"""The house's rules: which room may import which, what each may not speak of, and how large it may grow."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.house.rules import for_each

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "rolecall"
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = ("rolecall", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EVERY_MODULE = for_each(MODULES, module_name)

_RIVER = {"contracts", "domain", "values"}
ALLOWED: dict[str, set[str]] = {
    # room -> the rooms that it may import, beside itself
    "": set(),
    "values": set(),
    "ambient": set(),
    "spans": set(),
    "domain": {"ambient", "spans", "values"},
    "exchanges": {"spans"},
    "engines": {"ambient", "domain", "exchanges", "spans", "values"},
    "store": {"ambient", "domain", "exchanges", "spans", "values"},
    "signing": {"domain", "values"},
    "contracts": {"domain", "values"},
    "dialects": {"signing", *_RIVER},
    "verbs": _RIVER,
    "signin": {"calls", "domain", "values", "web"},
    "web": {"domain", "values"},
    "console": {
        "", "calls", "contracts", "domain", "pipeline", "server_kinds", "signing", "values", "verbs", "web",
    },
    "server_kinds": {"domain", "values"},
    "settings": {"domain", "exchanges", "values"},
    "measures": set(),
    "metrics": {"domain", "measures"},
    "posting": {"", "ambient", "domain", "values"},
    "admission": {"rate_store", "worker_counts", *_RIVER},
    "intake": {"domain", "values"},
    "auth": {"domain", "settings", "signing", "values"},
    "calls": {"domain", "exchanges", "spans", "values"},
    "pipeline": {"admission", "calls", "exchanges", "intake", "metrics", "signing", "verbs", *_RIVER},
    "traced_pipeline": {"contracts", "domain", "pipeline", "spans", "values"},
    "tracing": {"", "domain", "measures", "spans"},
    "proxies": set(),
    "rate_store": set(),
    "worker_counts": set(),
    "workers": set(),
    "response_headers": set(),
    "local": {"values"},
    # app chooses the parts; server and cli are outside it
    "app": {
        "admission", "console", "contracts", "dialects", "domain", "auth", "engines", "exchanges", "intake", "measures",
        "metrics", "pipeline", "posting", "services", "settings", "signin", "signing", "spans", "store",
        "traced_pipeline", "tracing", "values", "workers",
    },
    "connections": {"settings"},
    "readiness": {"domain"},
    "server": {
        "app", "connections", "console", "intake", "pipeline", "proxies", "readiness", "response_headers", "settings",
        "signin",
        "tls", "values",
    },
    "cli": {
        "", "admission", "app", "connections", "contracts", "domain", "engines", "listeners", "local", "server",
        "rate_store", "server_kinds", "services", "settings", "signing", "sockets", "store", "tls", "values",
        "worker_counts", "workers",
    },
    "sockets": {"settings"},
    "testing": {"cli", "local"},
    "tls": {"settings"},
    "services": {"contracts", "dialects", "domain", "pipeline", "settings", "verbs"},
    "listeners": set(),
    "__main__": {"cli"},
}  # fmt: skip
"""The import rule. The river's rooms never see a store or an engine; domain, engines and store never see the river."""


def room(module: str) -> str:
    """The part under ``rolecall``; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Modules that a module imports, anywhere in it. A name imported from the package itself may be a module."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            base = node.module or ""
            if base == "rolecall":
                yield from (f"rolecall.{one.name}" if is_module(one.name) else base for one in node.names)
            else:
                yield base


def is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()


@EVERY_MODULE
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    mine = room(module_name(path))
    seen = {room(name) for name in imports(path) if name.partition(".")[0] == "rolecall"}
    assert seen - {mine} <= ALLOWED[mine]


SUBJECTS: dict[str, set[str]] = {
    # subject of the domain -> the subjects that it may import, beside itself and the modules in the domain's root
    "secrets": set(),
    "operations": {"secrets"},
    "instances": {"operations", "secrets"},
    "access": {"operations", "secrets"},
    "policy": {"instances"},
    "iam": {"access", "operations", "policy", "secrets"},
    "directories": {"access", "operations", "secrets"},
    "accounts": {"access", "instances", "operations", "secrets"},
    "provisioning": {"accounts", "instances", "operations", "secrets"},
    "webhooks": {"instances", "operations", "secrets"},
    "maintenance": {
        "access",
        "accounts",
        "directories",
        "instances",
        "operations",
        "provisioning",
        "secrets",
        "webhooks",
    },
}
IN_THE_ROOT = {
    "__init__",
    "bus",
    "messages",
    "reasons",
    "strict_json",
}
"""Modules that belong to no subject. `bus` alone may import any subject."""
WAIST = "engine"
"""What the domain asks of servers. Every subject may import it, and it imports none."""


def subject(module: str) -> str:
    """The package under ``rolecall.domain``, or the module in its root."""
    return module.split(".")[2] if module.count(".") > 1 else "__init__"


def test_the_domain_is_laid_out_by_subject() -> None:
    assert {path.stem for path in (PACKAGE / "domain").glob("*.py")} == IN_THE_ROOT
    packages = {path.name for path in (PACKAGE / "domain").iterdir() if (path / "__init__.py").exists()}
    assert packages == {*SUBJECTS, WAIST}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room(module_name(path)) == "domain"], ids=module_name
)
def test_a_subject_of_the_domain_imports_only_subjects_below_it(path: Path) -> None:
    mine = subject(module_name(path))
    seen = {subject(name) for name in imports(path) if name.startswith("rolecall.domain.")}
    if mine != "bus":
        assert seen - {mine, WAIST} - IN_THE_ROOT <= SUBJECTS.get(mine, set())


def test_no_two_subjects_of_the_domain_import_each_other() -> None:
    """The table is an order: each subject stands after all that it may import."""
    above: set[str] = set()
    for name, below in SUBJECTS.items():
        assert below <= above, name
        above.add(name)


def test_the_import_rule_has_no_room_that_is_not_there() -> None:
    assert {room(module_name(path)) for path in MODULES} == set(ALLOWED)


@EVERY_MODULE
def test_only_engines_exchanges_store_local_servers_and_the_command_line_import_a_database_driver(
    path: Path,
) -> None:
    if any(name.partition(".")[0] in {"psycopg", "asyncmy"} for name in imports(path)):
        assert room(module_name(path)) in {"engines", "exchanges", "store", "local", "cli"}


AMBIENT = re.compile(
    r"^(import|from) (random|secrets|time)\b|\buuid[14]\b|\burandom\b|\bdatetime\.(now|utcnow|today)\b",
    re.MULTILINE,
)
_IN_DOMAIN = [path for path in MODULES if room(module_name(path)) == "domain"]


@for_each(_IN_DOMAIN, module_name)
def test_the_domain_gets_time_randomness_and_ids_through_its_port(path: Path) -> None:
    """`ambient`: a simulation replaces them, so that its seed decides the whole run."""
    assert [found.group() for found in AMBIENT.finditer(path.read_text("utf-8"))] == []


VENDORS = re.compile(
    r"tencent|aliyun|alibaba|petadata|trove|openstack|rackspace|qcloud|\bqcs\b|AKID|\bqq|wechat|weCom|alipay",
    re.IGNORECASE,
)
_NEUTRAL = [
    path
    for room_ in ("domain", "engines", "store")
    for path in sorted((PACKAGE / room_).rglob("*"))
    if path.suffix in {".py", ".sql"} and path.parent != PACKAGE / "domain" / "policy"
]
"""`domain.policy` is CAM's policy language, called by its name."""


@for_each(_NEUTRAL, lambda path: str(path.relative_to(PACKAGE)))
def test_domain_engines_and_store_speak_of_no_vendor(path: Path) -> None:
    assert VENDORS.findall(path.read_text("utf-8")) == []


ENGINE_KINDS = {"postgresql", "mysql", "mariadb"}


@for_each(_IN_DOMAIN, module_name)
def test_the_domain_asks_for_no_kind_of_engine(path: Path) -> None:
    """An engine tells its traits and capabilities; nothing is decided by the name of its kind."""
    texts = (
        node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
    )
    assert not ENGINE_KINDS & {text.lower() for text in texts if isinstance(text, str)}


SQL = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|\bUPDATE\b.+\bSET\b|\bGRANT\b.+\bTO\b|"
    r"\bREVOKE\b.+\bFROM\b|\b(CREATE|ALTER|DROP)\s+(ROLE|USER|DATABASE|TABLE|SCHEMA)\b|\bpg_(roles|authid|catalog)\b"
)
_STRANGERS_TO_SQL = [path for path in MODULES if room(module_name(path)) in {"dialects", "verbs", "signing"}]


@for_each(_STRANGERS_TO_SQL, module_name)
def test_dialects_and_verbs_hold_no_sql(path: Path) -> None:
    assert SQL.findall(path.read_text("utf-8")) == []


FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}


@pytest.mark.parametrize("tree", ["src", "tests", "bench", "scripts"])
def test_no_module_has_a_name_that_anything_could_go_under(tree: str) -> None:
    names = {
        part for path in (ROOT / tree).rglob("*.py") for part in path.relative_to(ROOT).with_suffix("").parts
    }
    assert names & FORBIDDEN_NAMES == set()


MODULE_LINES = 400
LONGER: dict[str, str] = {}
"""Modules that may be longer, each with the reason."""


@EVERY_MODULE
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    if module_name(path) not in LONGER:
        assert len(path.read_text("utf-8").splitlines()) <= MODULE_LINES


COMPOSITION_LINES = 150


def test_the_composition_root_is_short_and_nothing_is_filled_in_after_construction() -> None:
    """What a part needs is an argument of its constructor: the root assigns to no attribute of a part."""
    text = (PACKAGE / "app" / "application.py").read_text("utf-8")
    assert len(text.splitlines()) < COMPOSITION_LINES
    targets = [
        target
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    assert not [
        ast.unparse(target)
        for target in targets
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) != "self"
    ]


FUNCTION_LINES = 60


@EVERY_MODULE
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """Command-line functions, whose options are their parameters, are measured without them."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert length <= FUNCTION_LINES, f"{node.name}: {length} lines"


@EVERY_MODULE
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


REVEALERS = {
    "rolecall.cli.account_changes",
    "rolecall.cli.passwords",
    "rolecall.cli.seeding.secrets",
    # signing: the HMAC, of tokens too
    "rolecall.signing.acs1",
    "rolecall.signing.acs3",
    "rolecall.signing.tc1",
    "rolecall.signing.tc3",
    "rolecall.signing.token",
    # fingerprints of verifiers, and their key
    "rolecall.domain.engine.states",
    # digests of what came with a client token, and their key
    "rolecall.domain.operations.client_tokens",
    "rolecall.domain.directories.repeats",
    "rolecall.verbs.petadata.token",
    # tokens and a password that are shown to the identity service that can tell about them
    "rolecall.auth.keystone",
    # signatures of webhooks, their URLs where they are posted to, and their secrets, shown once
    "rolecall.domain.webhooks.signatures",
    "rolecall.posting",
    "rolecall.cli.webhook",
    # answers that show a secret once, on purpose: a token, a new password
    "rolecall.verbs.ciam.answers",
    "rolecall.dialects.openstack.json_bodies",
    "rolecall.dialects.openstack.xml_bodies",
    # the rules of a password, and its encrypted form
    "rolecall.contracts.check",
    "rolecall.contracts.tencent.postgres.rules",
    # sealing and opening
    "rolecall.domain.secrets.sealed_files",
    "rolecall.domain.secrets.sealing",
    "rolecall.domain.secrets.deciphering",
    # the chain of audit records: its HMAC, and its sealed end
    "rolecall.domain.operations.audit",
    "rolecall.domain.operations.audit_chain",
    # texts that open something to their bearer, digested; the length of a password that a user chose
    "rolecall.domain.secrets.bearer",
    "rolecall.domain.directories.login",
    # files of users, sealed until they are imported
    "rolecall.domain.directories.uploads",
    # signing in: tokens, codes and cookies in answers, on purpose; keys and the tokens that they sign
    "rolecall.signin.token_endpoints",
    "rolecall.web.browser",
    # a sign-in link, printed for the operator who asked for it
    "rolecall.cli.console",
    "rolecall.cli.running.embedded",
    "rolecall.signin.authorize",
    "rolecall.signin.jose",
    # people's passwords: their rules, hashed; what their tokens are sealed with
    "rolecall.domain.secrets.passwords",
    "rolecall.domain.iam.password_rules",
    "rolecall.domain.iam.sign_in",
    # temporary credentials and database tokens: handed out once, sealed, and taken apart again
    "rolecall.domain.iam.sessions",
    "rolecall.verbs.cam.policy_answers",
    "rolecall.verbs.sts.verbs",
    # a new sub-user's password and key, and a new key, shown once
    "rolecall.verbs.cam.answers",
    # verifiers, statements with verifiers, connecting, striking out of notes
    "rolecall.engines.watching",
    "rolecall.engines.memory",
    "rolecall.engines.memory_grants",
    "rolecall.engines.mysql",
    "rolecall.engines.mysql.accounts",
    "rolecall.engines.mysql.connections",
    "rolecall.engines.mysql.statements",
    "rolecall.engines.postgresql",
    "rolecall.engines.postgresql.statements",
    "rolecall.engines.postgresql.connections",
    "rolecall.store.address",
    "rolecall.store.primary",
    "rolecall.store.serving",
    # embedded servers, and files of mode 0600
    "rolecall.local.mariadb",
    "rolecall.local.postgres",
    "rolecall.local.cluster",
    "rolecall.local.copies",
    "rolecall.cli.backups.backing_up",
    "rolecall.cli.data",
    "rolecall.cli.running.quickstart",
    # shown once, on purpose; the demo is a client
    "rolecall.cli.application",
    "rolecall.console.directories.applications",
    "rolecall.cli.key",
    "rolecall.cli.sub_user",
    "rolecall.cli.demo_run",
    "rolecall.cli.opening",
}
"""The only modules in which a `Secret` is unwrapped."""


def reveals(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"reveal", "_text"}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_secrets_are_revealed_only_where_they_are_used() -> None:
    found = {module_name(path) for path in MODULES if reveals(path)} - {"rolecall.values"}
    assert found == REVEALERS


@EVERY_MODULE
def test_nothing_is_printed_but_by_the_command_line(path: Path) -> None:
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    printed = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not printed or room(module_name(path)) == "cli"


def kept_files() -> list[Path]:
    """What is, or is about to be, under version control."""
    listing = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no git checkout")
    names = {name.decode() for name in done.stdout.split(b"\0") if name}
    return sorted(path for name in names if (path := ROOT / name).is_file())


# Put together here, so that this file does not hold them.
_REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "proxy.golang" + ".org",
    "maven" + ".org",
]
_PLACES = ["/wo" + "rk/", "/ro" + "ot/.", "/ho" + "me/dev"]
_WRITERS = [
    "clau" + "de",
    "anthro" + "pic",
    "chat" + "gpt",
    "open" + "ai",
    "co" + "pilot",
    "language mo" + "del",
]


@pytest.mark.parametrize("word", [*_REGISTRIES, *_PLACES, *_WRITERS])
def test_no_kept_file_names_a_registry_a_place_of_one_machine_or_a_writing_tool(word: str) -> None:
    holders = [
        str(path.relative_to(ROOT))
        for path in kept_files()
        if word in path.read_bytes().decode("utf-8", "ignore").lower()
    ]
    assert holders == []


EXECUTABLES = [
    "scripts/install-packages", "scripts/lock", "scripts/setup-failover", "scripts/setup-mariadb", "scripts/setup-venv",
    ".ci/run",
]  # fmt: skip


@pytest.mark.parametrize("name", EXECUTABLES)
def test_scripts_can_be_run(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & 0o111 == 0o111
    assert path.read_text("utf-8").startswith("#!")


def test_every_file_that_begins_with_an_interpreter_can_be_run_and_no_other() -> None:
    for path in kept_files():
        begins = path.read_bytes()[:2] == b"#!"
        assert begins == bool(path.stat().st_mode & 0o100), path


def test_the_sources_hold_no_todo() -> None:
    marks = re.compile("TO" + "DO|FIX" + "ME|XX" + "X\\b")
    for path in [*MODULES, *(PACKAGE / "store" / "migrations").glob("*.sql")]:
        text = path.read_text("utf-8").replace("XX" + "X00", "")
        assert marks.findall(text) == [], path


def test_no_two_migrations_have_the_same_number() -> None:
    """The second would be taken for the first, and never run."""
    numbers = [path.name[:4] for path in (PACKAGE / "store" / "migrations").glob("*.sql")]
    assert sorted(numbers) == sorted(set(numbers))


def test_a_migration_that_earlier_releases_serve_beside_only_adds() -> None:
    """Otherwise they would fail at their next statement, in the middle of a rolling upgrade."""
    ends_service = re.compile(
        r"\bdrop (table|column|function|trigger|sequence|view)\b|\brename\b|\balter column\b|\btruncate\b"
        r"|\badd column [^,;]*\bnot null\b(?![^,;]*\bdefault\b)",
        re.IGNORECASE,
    )
    for path in (PACKAGE / "store" / "migrations").glob("*.sql"):
        text = path.read_text("utf-8")
        beside = re.search(r"^-- serves beside: (\d+)$", text, re.MULTILINE)
        assert ("serves beside" in text) == (beside is not None), path.name
        if beside is not None:
            statements = re.sub(r"--.*", "", text)
            assert ends_service.search(statements) is None, path.name
            assert int(beside[1]) < int(path.name[:4]), path.name
