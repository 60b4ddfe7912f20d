"""All settings: environment variables with the prefix ``ROLECALL_``, each with a default.

Files of ROLECALL_SECRETS_DIRECTORY, as container runtimes and systemd mount them, give what no variable sets.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError as SettingsSourceError

from rolecall.domain.instances.channels import is_loopback
from rolecall.domain.secrets.sealing import parse_master_keys
from rolecall.exchanges import Deadlines
from rolecall.values import Secret

_SHORTEST_RETENTION = 7
"""Days, which the store enforces too."""


class SettingsError(Exception):
    """A setting is missing or wrong; the text says how to fix it."""


_BRACKETED_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")


def _listed(value: object) -> object:
    """``a, b`` or ``["a", "b"]``; an address such as ``[::1]:80`` is not JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("[") and not _BRACKETED_ADDRESS.match(value.lstrip()):
        return _document(value)
    return tuple(filter(None, (item.strip() for item in value.split(","))))


def _document(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"not valid JSON: {error}") from None


Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _secrets_directory() -> Path | None:
    """The directory whose files, named as the variables in lower case, hold settings."""
    if not (name := os.environ.get("ROLECALL_SECRETS_DIRECTORY")):
        return None
    directory = Path(name)
    if not directory.is_dir():
        raise SettingsError(f"ROLECALL_SECRETS_DIRECTORY: {directory} is not a directory")
    return directory


class Settings(BaseSettings):
    """Field names are the variables' names without the prefix, in lower case. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="ROLECALL_", env_ignore_empty=True, enable_decoding=False, extra="ignore", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - there are no such files
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - its directory is fixed when this is imported
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then files."""
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, _secrets_directory())

    database_url: SecretStr | None = None
    """The PostgreSQL URL of the store. `rolecall up` has a store of its own."""
    migration_database_url: SecretStr | None = None
    """The store's URL for the role that owns and migrates its tables; empty: the serving role."""
    master_key: SecretStr | None = None
    """Seals secrets in the store: base64 of 32 bytes, one key per line, the current key first."""
    master_key_file: Path | None = None
    """A file with the same content, used in preference to ROLECALL_MASTER_KEY."""
    listen: str = "127.0.0.1:7653"
    """Address and port of the API."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes of the server that share its port."""
    rate_limit: str = "contract"
    """`contract`: each vendor's rates; a number: calls per second, for all; `off`: no limit."""
    rate_limit_store: str = ""
    """A redis:// URL, by which processes share their counts of calls."""
    clock_window: Positive = 300
    """Seconds that a signature's time may differ from the clock."""
    public_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Host names of this server for clients behind a proxy that rewrites Host: a list."""
    tencent_signed_action: bool = False
    """Refuse TC3 signatures that do not cover X-TC-Action; the vendor's SDKs do not sign it."""
    tencent_older_signatures: bool = True
    """Accept Tencent's older signatures, HmacSHA1 and HmacSHA256."""
    tls_cert: Path | None = None
    """The certificate of the API, PEM, followed by its chain; empty: plain HTTP."""
    tls_key: Path | None = None
    """The key of the certificate, PEM, without a password."""
    admin_listen: str = ""
    """Address and port of /healthz, /readyz and /metrics, by plain HTTP; empty: those of the API."""
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and -Proto are trusted: a list."""
    aliyun_clock_window: Positive = 900
    """Seconds that the time of an Alibaba signature may differ; nonces are remembered twice as long."""
    require_tls: Literal["auto", "on", "off"] = "auto"
    """Refuse secrets and all Alibaba calls over plain HTTP; `auto`: unless listening on loopback."""
    openstack_region: str = "RegionOne"
    """The region in the OpenStack catalog."""
    keystone_url: str = ""
    """URL of an external Keystone whose tokens the database API accepts: https://, or loopback."""
    keystone_ca_file: Path | None = None
    """Certificate authorities of Keystone, PEM; empty: the system's."""
    keystone_username: str = ""
    """Service user for validating tokens; it needs the role to do so."""
    keystone_password: SecretStr | None = None
    """Password of the service user."""
    keystone_project: str = "service"
    """Project of the service user, by name."""
    keystone_domain: str = "Default"
    """Domain of the service user and project, by name."""
    keystone_projects: Annotated[dict[str, int], BeforeValidator(_document)] = {}
    """Owners' numbers by Keystone's project ids: a JSON object."""
    keystone_caller_domain: str = "default"
    """Keystone domain, by id, whose users are the sub-users of the same names."""
    keystone_admin_role: str = ""
    """Keystone role whose holders act as the owner if they are not sub-users; empty: none."""
    keystone_cache_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    """Seconds that a validated token is cached; 0: validate at every call."""
    super_min_version: int = 16
    """Oldest PostgreSQL version that offers super accounts."""
    lane_width: Positive = 4
    """Concurrent changes per instance, of all workers; at least one of each."""
    lane_depth: Count = 256
    """Changes that may wait per instance; more are refused at once."""
    connect_seconds: Seconds = 3.0
    """Timeout for connecting to an instance or the store."""
    silence_seconds: Seconds = 2.0
    """Seconds without an answer after which a server is probed on another connection."""
    statement_seconds: Seconds = 30.0
    """Timeout of a statement on an instance."""
    store_seconds: Seconds = 30.0
    """Timeout of a statement in the store."""
    provisioned_instances: Count = 8
    """Servers that callers of `rolecall up` may create; more are refused."""
    hashing_threads: Positive = 2
    """Threads that compute password verifiers of accounts."""
    password_threads: Positive = 2
    """Threads that hash passwords of users (argon2id, 19 MiB each)."""
    password_queue: Count = 64
    """Passwords that may wait for hashing; more are refused at once."""
    sub_user_quota: Count = 1000
    """Sub-users per owner."""
    sub_user_rate: Count = 600
    """Sub-users that an owner may create per minute; 0: no limit."""
    rotation_seconds: Count = 43_200
    """Seconds between rotations of managed passwords; 0: on request only."""
    drift_check_seconds: Count = 3600
    """Seconds between comparisons of accounts with what was recorded of them; 0: on request only."""
    user_store_quota: Count = 100
    """User stores per owner; 0: no limit."""
    user_quota: Count = 10_000_000
    """Users per user store; 0: no limit."""
    user_group_quota: Count = 1000
    """Groups per user store; 0: no limit."""
    user_rate: Count = 6000
    """Changes of users per owner and minute; 0: no limit."""
    public_url: str = ""
    """URL of this server for browsers and OpenID clients; empty: by their Host header."""
    sign_in_failures: Positive = 10
    """Failed sign-ins after which a user is locked out."""
    sign_in_address_failures: Positive = 100
    """Failed sign-ins after which a client address is locked out, for any user."""
    sign_in_lock_seconds: Positive = 900
    """Seconds that users and addresses are locked out."""
    store_connections: Annotated[int, Field(ge=2)] = 8
    """Connections to the store per process, in each of two pools; a third pool of three is for scans."""
    connections: Positive = 800
    """Client connections per process; a further one ends the one that has been idle longest."""
    head_seconds: Positive = 10
    """Seconds that the head of a request may take from its first byte."""
    body_seconds: Positive = 60
    """Seconds that the body of a request, and a client reading an answer, may take."""
    idle_seconds: Positive = 30
    """Seconds after which an idle connection is closed."""
    body_budget: Count = 64 * 1024 * 1024
    """Bytes that a process holds of bodies beyond 64 KB each; more are refused as too frequent."""
    stranger_rate: Count = 600
    """Requests per client address and minute that fail authentication; 0: no limit."""
    faults: bool = False
    """Refuse calls for which `rolecall fault` asks, to test clients."""
    audit_retention_days: Count = 0
    """Days that audit records are kept, at least 7; 0: for ever."""
    webhooks: bool = True
    """Post audit records to the targets of `rolecall webhook`."""
    webhook_seconds: Seconds = 10.0
    """Seconds that a receiver of webhooks may take to answer."""
    webhook_ca_file: Path | None = None
    """Certificate authorities of receivers of webhooks, PEM; empty: the system's."""
    traces_endpoint: str = ""
    """URL of an OTLP/HTTP collector that gets traces, such as http://127.0.0.1:4318/v1/traces; empty: none."""
    traces_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Part of the calls that is traced, where no caller decides."""
    traces_parent: Literal["authenticated", "ignored"] = "authenticated"
    """Whose `traceparent` decides: that of an authenticated caller, or of none."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged."""
    log_format: Literal["console", "json"] = "json"
    """Format of the log on standard error."""

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?/?", value):
            raise ValueError("must be http:// or https:// and a host, optionally with a port")
        return value.rstrip("/")

    @field_validator("traces_endpoint")
    @classmethod
    def _collector(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s@/?#]+/[^\s@?#]+", value):
            raise ValueError("must be http:// or https://, a host and a path such as /v1/traces")
        return value

    @field_validator("audit_retention_days")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if 0 < value < _SHORTEST_RETENTION:
            raise ValueError(f"must be at least {_SHORTEST_RETENTION} days, or 0 to keep records for ever")
        return value

    @field_validator("rate_limit_store")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not re.match("rediss?://", value):
            raise ValueError("must be a redis:// or rediss:// URL, for Valkey too")
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
            raise ValueError("must be `contract`, `off` or a number of calls per second")
        return value

    def store_dsn(self) -> Secret:
        if self.database_url is None:
            raise SettingsError(
                "ROLECALL_DATABASE_URL is not set; set it to the PostgreSQL URL of Rolecall's store."
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
        except (OSError, ValueError) as error:
            raise SettingsError(f"the master key cannot be used: {error}") from None
        raise SettingsError(
            "no master key; set ROLECALL_MASTER_KEY_FILE (create it with `rolecall key master > FILE; chmod 600 FILE`)."
        )


def load_settings() -> Settings:
    """The settings of the environment. Raises `SettingsError`, which names each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(map(_wrong_variable, error.errors()))) from None
    except SettingsSourceError as error:  # a file that cannot be read as text
        raise SettingsError(f"ROLECALL_SECRETS_DIRECTORY: {error.__cause__}") from None


def _wrong_variable(error: ErrorDetails) -> str:
    what = error["msg"].removeprefix("Value error, ")
    return f"ROLECALL_{str(error['loc'][0]).upper()}: {what}"


def networks(texts: Sequence[str]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Addresses and networks in CIDR notation. Raises `ValueError`."""
    return tuple(ipaddress.ip_network(text.strip()) for text in texts)


def tls_required(choice: Literal["auto", "on", "off"], host: str) -> bool:
    """Whether a server that listens on `host` refuses plain HTTP where a vendor does."""
    if choice != "auto":
        return choice == "on"
    return not is_loopback(host)


def host_and_port(listen: str) -> tuple[str, int]:
    """The parts of ``127.0.0.1:7653``; an IPv6 address is in brackets. Raises `SettingsError`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"`{listen}` is not an address and port such as 127.0.0.1:7653")
    return host.strip("[]") or "127.0.0.1", int(port)
