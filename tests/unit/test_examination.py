"""What is found on a server, without one: every outcome of asking it, in both languages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rolecall.console.texts import translate
from rolecall.domain.engine import EngineAddress, EngineFacts, VerifierWrite
from rolecall.domain.instances import examination
from rolecall.domain.instances.examination import WORDS, Examiner, Finding, Says
from rolecall.domain.instances.registry import Instance, NewInstance, Phase, Provision
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.examination import findings
from rolecall.values import Language, Secret

NEW = NewInstance(
    1, "postgresql", "new", "db.example.com", 5432, "admin", Secret("unsaid"), "postgres", {}, "r", "z", {}
)
INSTANCE = Instance(
    1, 1, "postgresql", "old", "127.0.0.1", 5432, "admin", b"not sealed", "postgres", {}, "r", "z", False, None,
    1, datetime(2026, 1, 1, tzinfo=UTC), (), {},
)  # fmt: skip
FACTS = EngineFacts((18, 1), "18.1", "admin", is_superuser=False, can_read_verifiers=False)


async def good(_address: EngineAddress) -> Sequence[Finding]:
    return findings("postgresql", FACTS, 14)


async def refused(_address: EngineAddress) -> Sequence[Finding]:
    raise Refused(Reason.ENGINE_UNREACHABLE, note="connection refused")


async def lost(_address: EngineAddress) -> Sequence[Finding]:
    raise OutcomeUnknown("lost")


async def silent(_address: EngineAddress) -> Sequence[Finding]:
    await asyncio.Event().wait()
    return ()


def of_new(probe: examination.Probe, new: NewInstance = NEW) -> list[Finding]:
    return list(asyncio.run(Examiner(probe, Sealer([bytes(32)])).of_new(new)))


def of_instance(instance: Instance) -> list[Finding]:
    return list(asyncio.run(Examiner(good, Sealer([bytes(32)])).of_instance(instance)))


@pytest.mark.parametrize(
    ("probe", "why"), [(refused, "connection refused"), (lost, "lost"), (silent, "did not answer")]
)
def test_a_server_that_does_not_answer_is_a_finding(
    probe: examination.Probe, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if probe is silent:
        monkeypatch.setattr(examination, "LONGEST", 0.01)
    first, channel = of_new(probe)
    assert (first.says, first.is_fatal) == (Says.UNUSABLE, True)
    assert why in first.detail
    assert channel.says is Says.CHANNEL_VERIFIED


def test_a_weak_channel_is_told_of_and_does_not_prevent_registration() -> None:
    (*_, channel) = of_new(good, replace(NEW, options={"sslmode": "require"}))
    assert (channel.ok, channel.is_fatal) == (False, False)
    assert "impersonate" in channel.detail


def test_an_instance_that_is_not_running_or_not_sealed_is_not_asked() -> None:
    assert [found.says for found in of_instance(INSTANCE)] == [Says.UNSEALED]
    for phase, says in ((Phase.CREATING, Says.NOT_CHECKED), (Phase.FAILED, Says.NOT_CREATED)):
        (found,) = of_instance(replace(INSTANCE, provision=Provision("here", phase)))
        assert (found.says, found.is_fatal) == (says, phase is Phase.FAILED)


def test_what_the_administrator_may_not_do_is_named_with_its_repair() -> None:
    found = {each.says: each for each in findings("postgresql", FACTS, 19)}
    assert found.keys() == {
        Says.ADMINISTRATOR, Says.VERIFIERS_UNREADABLE, Says.BY_STATEMENT, Says.NO_SUPER_ACCOUNTS,
    }  # fmt: skip
    assert found[Says.VERIFIERS_UNREADABLE].fix.endswith('pg_authid TO "admin"')
    withheld = replace(FACTS, can_read_verifiers=True, catalog_withheld="no superuser", is_superuser=True)
    assert Says.CATALOG_WITHHELD in {each.says for each in findings("postgresql", withheld, 14)}
    catalog = replace(withheld, verifier_write=VerifierWrite.CATALOG)
    assert all(each.ok for each in findings("postgresql", catalog, 14))
    hashes = replace(catalog, refuses_verifiers="a plugin")
    assert [each.says for each in findings("mysql", hashes, 14)] == [Says.SUPERUSER, Says.HASHES_REFUSED]


@pytest.mark.parametrize("says", Says)
def test_every_finding_is_said_in_both_languages_with_the_same_facts(says: Says) -> None:
    names = (
        "engine", "version", "administrator", "why", "phase", "least", "weakness", "mode", "expired", "soon", "days",
    )  # fmt: skip
    facts = {name: f"[{name}]" for name in names}
    for end, words in (("", WORDS[says].detail), ("_fix", WORDS[says].fix)):
        english = translate(Language.ENGLISH, f"finding_{says}{end}", **facts)
        chinese = translate(Language.CHINESE, f"finding_{says}{end}", **facts)
        assert bool(words) == bool(english) == bool(chinese)
        assert english[1:].endswith(words.format_map(facts)[1:])
        assert ("[administrator]" in english, "[why]" in english) == (
            "[administrator]" in chinese,
            "[why]" in chinese,
        )
