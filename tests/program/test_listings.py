"""Every listing of the program: it prints JSON, pages and filters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import Rolecall

from rolecall.cli.commands import COMMANDS, load_command
from rolecall.cli.printing import Paging

LISTINGS = [words for words in COMMANDS if words.endswith(" list")]

OF_AN_INSTANCE = {"defaults list", "public list"}
"""Listings that need an instance."""

NOT_JSON = {
    "up", "serve", "demo",  # they run until they are stopped, or show what others print
    "key master", "version",  # one word
    "policy show", "audit export",  # what they print is JSON already
}  # fmt: skip


def listed(rolecall: Rolecall, words: str, *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(rolecall.cli(*words.split(), "--json", *arguments).stdout))


@pytest.mark.parametrize("words", LISTINGS)
def test_every_listing_has_the_options_of_listings(words: str) -> None:
    options = {option for parameter in load_command(words).params for option in parameter.opts}
    assert options >= {"--json", "--limit", "--offset"}
    assert "--filter" in options or words == "audit list"  # which has a filter for each of its columns


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_that_prints_something_prints_json(words: str) -> None:
    options = {option for parameter in load_command(words).params for option in parameter.opts}
    assert ("--json" in options) != (words in NOT_JSON)


def test_what_a_change_prints_is_an_array_of_one_object(rolecall: Rolecall) -> None:
    (key,) = json.loads(rolecall.cli("key", "create", "--json").stdout)
    (done,) = json.loads(rolecall.cli("key", "disable", key["secret_id"], "--json").stdout)
    assert done == {"secret_id": key["secret_id"], "done": "disabled"}
    (active,) = json.loads(rolecall.cli("store", "activate", "--json").stdout)
    assert active == {"owner_uin": rolecall.ready["owner"]["uin"], "active": True}
    (resealed,) = json.loads(rolecall.cli("key", "reseal", "--json").stdout)
    assert resealed["resealed"] >= 0


@pytest.mark.parametrize("words", LISTINGS)
def test_every_listing_prints_json_of_so_many_rows(rolecall: Rolecall, words: str) -> None:
    of = ("--instance", rolecall.instance_id) if words in OF_AN_INSTANCE else ()
    rows = listed(rolecall, words, *of, "--limit", "2")
    assert len(rows) <= 2
    assert listed(rolecall, words, *of, "--limit", "1", "--offset", "999999") == []
    if len(rows) == 2 and words not in {"audit list", "operation list"}:  # others add to those meanwhile
        assert listed(rolecall, words, *of, "--limit", "1", "--offset", "1") == rows[1:]


def test_a_page_is_cut_from_what_the_filter_leaves() -> None:
    rows = [{"name": f"{word}{number}", "hidden": "z"} for number in range(3) for word in ("Ab", "cd")]
    paging = Paging(2, 1, "aB", ("name",))
    assert [row["name"] for row in paging.of(rows)] == ["Ab1", "Ab2"]
    assert paging.ended
    assert list(paging.of(rows)) == []
    assert list(Paging(None, 0, "z", ("name",)).of(rows)) == []
    assert list(Paging(None, 5, "", ("name",)).of(rows)) == rows[5:]


def test_no_row_is_asked_for_after_the_last() -> None:
    asked = iter([{"name": "a"}, {"name": "b"}])
    assert list(Paging(1, 0, "", ("name",)).of(asked)) == [{"name": "a"}]
    assert list(asked) == [{"name": "b"}]
