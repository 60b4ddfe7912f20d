"""`rolecall env`: the variables by which clients find a running `rolecall up` and sign in to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from shlex import quote
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption

app = typer.Typer(rich_markup_mode=None)

Ready = Mapping[str, Any]
"""The content of a ready file; docs/configuration.md lists its keys."""

Variables = dict[str, str]


class Client(StrEnum):
    """The values of the argument."""

    tencent = "tencent"
    tccli = "tccli"
    aliyun = "aliyun"
    openstack = "openstack"
    terraform = "terraform"
    curl = "curl"
    servers = "servers"


class Shell(StrEnum):
    """Whose syntax sets the variables."""

    sh = "sh"
    fish = "fish"
    powershell = "powershell"


class Format(StrEnum):
    shell = "shell"
    dotenv = "dotenv"
    json = "json"
    config = "config"


@app.command("env")
def env(
    client: Annotated[
        Client | None, typer.Argument(help="The client; all of them by default.", show_default=False)
    ] = None,
    data: DataOption = None,
    shell: Annotated[
        Shell, typer.Option(help="The shell that reads the commands; sh also for bash and zsh.")
    ] = Shell.sh,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="shell commands, a .env file, JSON, or the client's own configuration file."
        ),
    ] = Format.shell,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print the variables that clients of a running `rolecall up` read, as `export NAME=value`."""
    from rolecall.cli.data import DataDirectory, default_directory, read_ready

    ready = read_ready(DataDirectory(data or default_directory()).ready)
    if form is Format.config:
        from rolecall.cli.client_files import configuration

        print(configuration(ready, client), end="")
        return
    found = variables(ready, client)
    if as_json or form is Format.json:
        print(json.dumps(found, indent=2))
        return
    write = _SETTINGS[shell] if form is Format.shell else _dotenv
    for name, value in found.items():
        print(write(name, value))


def _sh(name: str, value: str) -> str:
    return f"export {name}={quote(value)}"


def _fish(name: str, value: str) -> str:
    """Within single quotes fish knows two escapes."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$env:{name} = '{quoted}'"


def _dotenv(name: str, value: str) -> str:
    """As the readers of .env files agree: double quotes where a value needs any."""
    if value and all(character.isalnum() or character in "_-./:@" for character in value):
        return f"{name}={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'{name}="{escaped}"'


_SETTINGS: Mapping[Shell, Callable[[str, str], str]] = {
    Shell.sh: _sh,
    Shell.fish: _fish,
    Shell.powershell: _powershell,
}


def variables(ready: Ready, client: Client | None = None) -> Variables:
    """Those of one client, or of all but curl, which needs a token. CommandError if its service is not served here."""
    if client is not None:
        return _VARIABLES[client](ready)
    clients = [_tencent, *([_aliyun, _openstack] if "openstack" in ready else []), _terraform, _servers]
    return {name: value for each in clients for name, value in each(ready).items()}


def _tencent(ready: Ready) -> Variables:
    """TENCENTCLOUD_ENDPOINT and _INSTANCE_ID are for command lines: no client reads them."""
    tencent = ready["tencent"]
    return {
        "TENCENTCLOUD_SECRET_ID": tencent["secret_id"],
        "TENCENTCLOUD_SECRET_KEY": tencent["secret_key"],
        "TENCENTCLOUD_REGION": tencent["region"],
        "TENCENTCLOUD_ENDPOINT": ready["endpoint"],
        "TENCENTCLOUD_INSTANCE_ID": tencent["postgres_instance_id"],
    }


def _aliyun(ready: Ready) -> Variables:
    """ALIBABA_CLOUD_ENDPOINT, a host and port, and _INSTANCE_ID are for command lines: no client reads them."""
    aliyun = served(ready, "aliyun")
    return {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": aliyun["access_key_id"],
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": aliyun["access_key_secret"],
        "ALIBABA_CLOUD_REGION_ID": aliyun["region_id"],
        "ALIBABA_CLOUD_ENDPOINT": urlsplit(ready["endpoint"]).netloc,
        "ALIBABA_CLOUD_INSTANCE_ID": aliyun["instance_id"],
    }


def _openstack(ready: Ready) -> Variables:
    """TROVE_INSTANCE_ID is for command lines: no client reads it."""
    openstack = served(ready, "openstack")
    found = {
        "OS_AUTH_URL": openstack["auth_url"],
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": openstack["username"],
        "OS_PASSWORD": openstack["password"],
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_ID": openstack["project_id"],
        "OS_REGION_NAME": "RegionOne",
        "TROVE_INSTANCE_ID": openstack["instance_id"],
    }
    return found | ({"OS_CACERT": ready["ca_file"]} if "ca_file" in ready else {})


def _terraform(ready: Ready) -> Variables:
    """For the providers `tencentcloud` and `openstack`."""
    endpoint = urlsplit(ready["endpoint"])
    # The provider calls SERVICE.DOMAIN; names below `localhost` are this machine's (RFC 6761).
    domain = endpoint.netloc.replace("127.0.0.1", "localhost")
    providers = _tencent(ready) | {
        "TENCENTCLOUD_PROTOCOL": endpoint.scheme.upper(),
        "TENCENTCLOUD_DOMAIN": domain,
    }
    return providers | (_openstack(ready) if "openstack" in ready else {})


def _servers(ready: Ready) -> Variables:
    """Where the accounts log in: libpq's variables, and those of the clients of MySQL and MariaDB."""
    postgres, mysql = ready["engines"]["postgres"], ready["engines"].get("mysql")
    found = {"PGHOST": postgres["host"], "PGPORT": str(postgres["port"]), "PGDATABASE": postgres["database"]}
    if mysql is not None:
        found |= {"MYSQL_HOST": mysql["host"], "MYSQL_TCP_PORT": str(mysql["port"])}
    return found


def _curl(ready: Ready) -> Variables:
    """A new token of the Identity API, which lasts for a day: curl cannot sign as the vendors' clients do."""
    served(ready, "openstack")
    from rolecall.cli.demo_calls import openstack_token

    found = {"OS_TOKEN": openstack_token(ready), "OS_DATABASE_URL": ready["openstack"]["database_url"]}
    return found | ({"CURL_CA_BUNDLE": ready["ca_file"]} if "ca_file" in ready else {})


def served(ready: Ready, dialect: str) -> Mapping[str, str]:
    if dialect not in ready:
        raise CommandError(f"{dialect} is not served: `rolecall up` found no MariaDB on this system")
    served: Mapping[str, str] = ready[dialect]
    return served


_VARIABLES: Mapping[Client, Callable[[Ready], Variables]] = {
    Client.tencent: _tencent,
    Client.tccli: _tencent,
    Client.aliyun: _aliyun,
    Client.openstack: _openstack,
    Client.terraform: _terraform,
    Client.curl: _curl,
    Client.servers: _servers,
}
