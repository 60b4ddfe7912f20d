"""Settings as people write them, and what is said of those that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rolecall.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the run, or of a test before, would replace what a test writes in a file."""
    for name in [name for name in os.environ if name.startswith("ROLECALL_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("a.example", ("a.example",)),
        ("a.example, b.example:8443 ,", ("a.example", "b.example:8443")),
        ('["a.example", "b.example"]', ("a.example", "b.example")),
        (' ["a.example"] ', ("a.example",)),
        ("[::1]:7653,[fd00::1]", ("[::1]:7653", "[fd00::1]")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_list_is_separated_by_commas_or_json(
    monkeypatch: pytest.MonkeyPatch, text: str, hosts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ROLECALL_PUBLIC_HOSTS", text)
    assert load_settings().public_hosts == hosts


def test_proxies_are_such_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
    assert load_settings().trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("PUBLIC_HOSTS", '["a.example"', "JSON"),
        ("PUBLIC_HOSTS", "[a.example, b.example]", "JSON"),
        ("PUBLIC_HOSTS", "[1]", "string"),
        ("TRUSTED_PROXIES", "127.0.0.1,nonsense", "nonsense"),
        ("KEYSTONE_PROJECTS", "b5a1=100370150976", "JSON"),
        ("KEYSTONE_PROJECTS", '{"b5a1": "mine"}', "integer"),
        ("KEYSTONE_PROJECTS", "[1]", "dictionary"),
        ("RATE_LIMIT", "sometimes", "contract"),
        ("RATE_LIMIT_STORE", "junk", "redis://"),
        ("RATE_LIMIT_STORE", "valkey://cache:6379", "redis://"),
        ("RATE_LIMIT_STORE", "redis+sentinel://cache:26379/main", "redis://"),
        ("LANE_WIDTH", "1.5", "integer"),
        ("STATEMENT_SECONDS", "inf", "finite"),
    ],
)
def test_a_wrong_value_is_told_in_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, says: str
) -> None:
    monkeypatch.setenv(f"ROLECALL_{name}", text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    said = str(caught.value)
    assert said.startswith(f"ROLECALL_{name}: ")
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_that_cannot_be_read_is_told_whatever_its_type(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing but `SettingsError`; what any text is good for is taken."""
    monkeypatch.setenv(f"ROLECALL_{name.upper()}", '{"half": [')
    said = ""
    try:
        load_settings()
    except SettingsError as error:
        said = str(error)
    assert not said or said.startswith(f"ROLECALL_{name.upper()}: ")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"ROLECALL_{name.upper()}", "")
    assert getattr(load_settings(), name) == Settings.model_fields[name].default


def test_files_of_the_secrets_directory_are_settings_that_variables_override(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "postgresql://rolecall:secret@store/rolecall"
    (tmp_path / "rolecall_database_url").write_text(url + "\n")
    (tmp_path / "rolecall_workers").write_text("3\n")
    (tmp_path / "rolecall_public_hosts").write_text("a.example, b.example\n")
    (tmp_path / "other").write_text("not a setting")
    monkeypatch.setenv("ROLECALL_SECRETS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("ROLECALL_WORKERS", "2")
    settings = load_settings()
    assert settings.store_dsn().reveal() == url
    assert settings.workers == 2
    assert settings.public_hosts == ("a.example", "b.example")


def test_a_secrets_directory_that_is_missing_or_wrong_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROLECALL_SECRETS_DIRECTORY", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=r"^ROLECALL_SECRETS_DIRECTORY: .*missing is not a directory$"):
        load_settings()
    (tmp_path / "rolecall_workers").write_text("many")
    monkeypatch.setenv("ROLECALL_SECRETS_DIRECTORY", str(tmp_path))
    with pytest.raises(SettingsError, match=r"^ROLECALL_WORKERS: "):
        load_settings()
    (tmp_path / "rolecall_workers").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"^ROLECALL_SECRETS_DIRECTORY: .*can't decode"):
        load_settings()
