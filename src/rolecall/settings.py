"""Settings, all of them: environment variables with the prefix ``ROLECALL_``, each with a sensible default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rolecall.domain.instances.channels import is_loopback
from rolecall.domain.secrets.sealing import parse_master_keys
from rolecall.exchanges import Deadlines
from rolecall.proxies import networks
from rolecall.values import Secret

_SHORTEST_RETENTION = 7
"""Days; the store holds to it too."""


class SettingsError(Exception):
    """A setting is missing or wrong; the text says how to mend it."""


_BRACKETED_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")


def _listed(value: object) -> object:
    """``a, b`` or ``["a", "b"]``; an address such as ``[::1]:80`` is no beginning of JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("[") and not _BRACKETED_ADDRESS.match(value.lstrip()):
        return _document(value)
    return tuple(filter(None, (item.strip() for item in value.split(","))))


def _document(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None


class Settings(BaseSettings):
    """Field names are the variables' names without the prefix, in lower case. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="ROLECALL_", env_ignore_empty=True, enable_decoding=False, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(
        default=None, description="The store: a PostgreSQL URL. `rolecall up` brings its own."
    )
    migration_database_url: SecretStr | None = Field(
        default=None,
        description="The store's address for the role that owns and migrates its tables; empty: the role that serves.",
    )
    master_key: SecretStr | None = Field(
        default=None,
        description="Seals secrets in the store: base64 of 32 bytes, one key a line, the current one first.",
    )
    master_key_file: Path | None = Field(
        default=None, description="A file with the same content; it wins over ROLECALL_MASTER_KEY."
    )
    listen: str = Field(default="127.0.0.1:7653", description="Address and port of the API.")
    rate_limit: str = Field(
        default="contract",
        description="`contract` keeps each vendor's rate, a number replaces them all, `off` lifts them.",
    )
    rate_limit_store: str = Field(
        default="", description="A redis:// URL to share the rates between processes."
    )
    clock_window: int = Field(default=300, ge=1, description="Seconds that a signature's time may be off.")
    public_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="Host names by which clients reach this server through a proxy that rewrites Host: a list.",
    )
    tencent_signed_action: bool = Field(
        default=False,
        description="Refuse TC3 signatures that do not cover X-TC-Action; the vendor's SDKs do not sign it.",
    )
    tencent_older_signatures: bool = Field(
        default=True, description="Take Tencent's older signatures, HmacSHA1 and HmacSHA256."
    )
    tls_cert: Path | None = Field(
        default=None,
        description="The certificate by which the API speaks TLS, PEM, with its chain behind it.",
    )
    tls_key: Path | None = Field(default=None, description="Its key, PEM, without a password.")
    admin_listen: str = Field(
        default="",
        description="Address and port of /healthz, /readyz and /metrics, by plain HTTP; empty: beside the API.",
    )
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="Addresses and networks of proxies whose X-Forwarded-For and -Proto are believed: a list.",
    )
    aliyun_clock_window: int = Field(
        default=900,
        ge=1,
        description="The same for Alibaba's signatures; a nonce is remembered twice as long.",
    )
    require_tls: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Refuse secrets and all Alibaba calls by plain HTTP; `auto`: when listening beyond loopback.",
    )
    openstack_region: str = Field(default="RegionOne", description="The region in OpenStack's catalog.")
    keystone_url: str = Field(
        default="",
        description="An outside Keystone whose tokens the database API takes too: https://, or loopback.",
    )
    keystone_ca_file: Path | None = Field(
        default=None, description="Certificate authorities for it, PEM; without it the system's."
    )
    keystone_username: str = Field(
        default="", description="The user as which Rolecall asks it about tokens; it needs the role for that."
    )
    keystone_password: SecretStr | None = Field(default=None, description="Its password.")
    keystone_project: str = Field(
        default="service", description="The project, by name, of that user's token."
    )
    keystone_domain: str = Field(
        default="Default", description="The domain, by name, of that user and project."
    )
    keystone_projects: Annotated[dict[str, int], BeforeValidator(_document)] = Field(
        default={},
        description="Which of its projects, by id, are which owner's, by number: a JSON object.",
    )
    keystone_caller_domain: str = Field(
        default="default", description="The domain, by id, whose users are sub-users of the same name here."
    )
    keystone_admin_role: str = Field(
        default="",
        description="A role on the project that makes the owner of whoever has it and is no sub-user; empty: none.",
    )
    keystone_cache_seconds: int = Field(
        default=30,
        ge=0,
        le=300,
        description="How long its word on a token is believed; 0 asks at every call.",
    )
    super_min_version: int = Field(
        default=16, description="The oldest PostgreSQL on which super accounts are offered."
    )
    lane_width: int = Field(default=4, ge=1, description="Changes under way at once on one instance.")
    lane_depth: int = Field(
        default=256, ge=0, description="Changes that may wait for one instance; more are refused at once."
    )
    connect_seconds: float = Field(
        default=3.0,
        gt=0,
        allow_inf_nan=False,
        description="Until a connection to an instance or the store can be used.",
    )
    silence_seconds: float = Field(
        default=2.0,
        gt=0,
        allow_inf_nan=False,
        description="Without an answer, until a server is asked on another connection whether it is at work.",
    )
    statement_seconds: float = Field(
        default=30.0, gt=0, allow_inf_nan=False, description="That a statement on an instance may take."
    )
    store_seconds: float = Field(
        default=30.0, gt=0, allow_inf_nan=False, description="That a statement in the store may take."
    )
    provisioned_instances: int = Field(
        default=8, ge=0, description="Servers that `rolecall up` starts for callers; more are refused."
    )
    hashing_threads: int = Field(default=2, ge=1, description="Threads that compute password verifiers.")
    password_threads: int = Field(
        default=2, ge=1, description="Threads that hash passwords of people (argon2id, 19 MiB each)."
    )
    password_queue: int = Field(
        default=64, ge=0, description="Passwords that may wait to be hashed; more are refused at once."
    )
    sub_user_quota: int = Field(default=1000, ge=0, description="Sub-users that an owner may have.")
    sub_user_rate: int = Field(
        default=600, ge=0, description="Sub-users that an owner may make within a minute; 0 lifts the limit."
    )
    rotation_seconds: int = Field(
        default=43_200,
        ge=0,
        description="How often passwords that Rolecall manages are replaced; 0: only when asked.",
    )
    user_store_quota: int = Field(
        default=100, ge=0, description="User stores that an owner may have; 0 lifts the limit."
    )
    user_quota: int = Field(
        default=10_000_000, ge=0, description="Users that a user store may have; 0 lifts the limit."
    )
    user_group_quota: int = Field(
        default=1000, ge=0, description="Groups that a user store may have; 0 lifts the limit."
    )
    user_rate: int = Field(
        default=6000,
        ge=0,
        description="Changes of users that an owner may ask of a process within a minute; 0 lifts the limit.",
    )
    public_url: str = Field(
        default="",
        description="The URL by which browsers and OpenID clients reach this server; empty: as they say by Host.",
    )
    sign_in_failures: int = Field(
        default=10, ge=1, description="Wrong passwords after which a user cannot sign in for a while."
    )
    sign_in_address_failures: int = Field(
        default=100,
        ge=1,
        description="Wrong passwords after which a client address cannot, whoever it says it is.",
    )
    sign_in_lock_seconds: int = Field(default=900, ge=1, description="How long that is.")
    store_connections: int = Field(
        default=8,
        ge=2,
        description="Connections to the store, per pool (there are two, and one of three for scans) and process.",
    )
    connections: int = Field(
        default=800,
        ge=1,
        description="Client connections of a process; beyond it a new one ends the one waited for longest.",
    )
    head_seconds: int = Field(
        default=10, ge=1, description="How long a request's head may take from its first byte."
    )
    body_seconds: int = Field(
        default=60, ge=1, description="How long its body may take, and a client to read an answer."
    )
    idle_seconds: int = Field(
        default=30, ge=1, description="How long a connection is kept on which nothing happens."
    )
    body_budget: int = Field(
        default=64 * 1024 * 1024,
        ge=0,
        description="Bytes of bodies beyond 64 KB each that a process holds at once; more are refused as too frequent.",
    )
    stranger_rate: int = Field(
        default=600,
        ge=0,
        description="Requests of a client address within a minute that prove nobody; 0 lifts the limit.",
    )
    audit_retention_days: int = Field(
        default=0, ge=0, description="Days that audit records are kept, at least 7; 0 keeps them all."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is logged."
    )
    log_format: Literal["console", "json"] = Field(
        default="json", description="How it is logged, on standard error."
    )

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?/?", value):
            raise ValueError("it is http:// or https:// and a host, with a port if need be")
        return value.rstrip("/")

    @field_validator("audit_retention_days")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < _SHORTEST_RETENTION:
            raise ValueError(
                f"audit records are kept for at least {_SHORTEST_RETENTION} days, or 0: for ever"
            )
        return value

    @field_validator("rate_limit_store")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not re.match(r"(redis|rediss|redis\+[a-z]+|valkey|valkeys|valkey\+[a-z]+)://", value):
            raise ValueError("it is a redis:// URL")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks(value)
        return value

    @field_validator("rate_limit")
    @classmethod
    def _known_rate(cls, value: str) -> str:
        if value not in ("contract", "off") and not (value.isdecimal() and int(value) > 0):
            raise ValueError("it is `contract`, `off` or a number of requests per second")
        return value

    def store_dsn(self) -> Secret:
        if self.database_url is None:
            raise SettingsError(
                "ROLECALL_DATABASE_URL is not set: a PostgreSQL URL for Rolecall's own store."
            )
        return Secret(self.database_url.get_secret_value())

    def migration_dsn(self) -> Secret | None:
        url = self.migration_database_url
        return None if url is None else Secret(url.get_secret_value())

    def engine_deadlines(self) -> Deadlines:
        return Deadlines(self.connect_seconds, self.silence_seconds, self.statement_seconds)

    def store_deadlines(self) -> Deadlines:
        return Deadlines(self.connect_seconds, self.silence_seconds, self.store_seconds)

    def master_keys(self) -> tuple[bytes, ...]:
        """The current key first. Raises `SettingsError`."""
        try:
            if self.master_key_file is not None:
                return parse_master_keys(self.master_key_file.read_text("ascii"))
            if self.master_key is not None:
                return parse_master_keys(self.master_key.get_secret_value())
        except (OSError, ValueError) as trouble:
            raise SettingsError(f"the master key cannot be used: {trouble}") from None
        raise SettingsError(
            "no master key: set ROLECALL_MASTER_KEY_FILE (make one with `rolecall key master > FILE; chmod 600 FILE`)."
        )


def tls_required(choice: Literal["auto", "on", "off"], host: str) -> bool:
    """Whether plain HTTP is refused where a vendor refuses it, for a server that listens on `host`."""
    if choice != "auto":
        return choice == "on"
    return not is_loopback(host)


def host_and_port(listen: str) -> tuple[str, int]:
    """``127.0.0.1:7653`` -> its parts; an IPv6 address stands in brackets."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"`{listen}` is no address and port, such as 127.0.0.1:7653")
    return host.strip("[]") or "127.0.0.1", int(port)
