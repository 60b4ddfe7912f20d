"""TLS of our own: a live server reached over it by raw HTTP and the vendors' clients; a certificate that changes."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openstack
import pytest
from aliyunsdkcore.client import AcsClient
from aliyunsdkpetadata.request.v20160101.DescribeAccountsRequest import DescribeAccountsRequest
from cryptography import x509
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.postgres.v20170312 import models
from tencentcloud.postgres.v20170312.postgres_client import PostgresClient
from tests.conftest import PROGRAM, Rolecall, start_rolecall
from tests.server.replica import free_port
from tests.waiting import until

from rolecall.cli.running.authority import own_certificate
from rolecall.signing import tc3
from rolecall.values import Secret

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

PASSWORD = "Test_password1"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolecall]:
    """`rolecall up --tls`, where TLS is required as it is beyond loopback, and health has an address of its own."""
    running = start_rolecall(
        tmp_path_factory.mktemp("tls") / "data",
        "--tls",
        "--admin-listen",
        "127.0.0.1:0",
        ROLECALL_RATE_LIMIT="off",
        ROLECALL_REQUIRE_TLS="on",
        ROLECALL_PUBLIC_HOSTS='["accounts.example:443"]',
    )
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def authority(secure: Rolecall) -> str:
    return str(secure.ready["ca_file"])


@pytest.fixture
def trusted(secure: Rolecall, authority: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The authority is what clients on `requests` trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
    monkeypatch.setenv("CURL_CA_BUNDLE", authority)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return authority


def netloc(running: Rolecall) -> str:
    return urlsplit(running.endpoint).netloc


def shaken(running: Rolecall, authority: str, name: str) -> dict[str, Any]:
    """What a client that calls the server by `name` is shown: version, cipher, certificate."""
    trust = ssl.create_default_context(cafile=authority)
    at = urlsplit(running.endpoint)
    with (
        socket.create_connection((str(at.hostname), int(at.port or 0)), timeout=30) as plain,
        trust.wrap_socket(plain, server_hostname=name) as tls,
    ):
        return {"version": tls.version(), "cipher": tls.cipher(), "leaf": tls.getpeercert(binary_form=True)}


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "accounts.example",
        "postgres.tencentcloudapi.com",
        "postgres.ap-guangzhou.tencentcloudapi.com",
        "cam.tencentcloudapi.com",
        "sts.tencentcloudapi.com",
        "petadata.aliyuncs.com",
        "petadata.cn-hangzhou.aliyuncs.com",
    ],
)
def test_the_certificate_is_for_every_name_that_clients_call_by(
    secure: Rolecall, authority: str, name: str
) -> None:
    shown = shaken(secure, authority, name)
    assert shown["version"] == "TLSv1.3"


def test_it_is_for_no_other_name_and_trusted_by_nobody_else(secure: Rolecall, authority: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(secure, authority, "example.com")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(secure.endpoint + "/v3", trust_env=False)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1_1, "DEFAULT@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "AES128-SHA:ECDHE-ECDSA-AES128-SHA"),
    ],
)
def test_old_versions_and_weak_ciphers_are_not_spoken(
    secure: Rolecall, authority: str, version: ssl.TLSVersion, ciphers: str
) -> None:
    at = urlsplit(secure.endpoint)
    trust = ssl.create_default_context(cafile=authority)
    trust.minimum_version = trust.maximum_version = version
    trust.set_ciphers(ciphers)
    with (
        socket.create_connection((str(at.hostname), int(at.port or 0)), timeout=30) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        trust.wrap_socket(plain, server_hostname="localhost").close()


def test_plain_http_gets_no_answer_there(secure: Rolecall) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(secure.endpoint.replace("https", "http") + "/v3", trust_env=False)


def test_a_raw_client_makes_an_account_and_gets_a_key(
    secure: Rolecall, authority: str, name: Callable[..., str]
) -> None:
    """Both are refused by plain HTTP here, since the one carries a secret and the other tells one."""
    keys = secure.tencent
    for service, version, action, params, told in (
        ("postgres", "2017-03-12", "CreateAccount",
         {"DBInstanceId": secure.instance_id, "UserName": name(), "Password": PASSWORD, "Type": "normal"}, "RequestId"),
        ("cam", "2019-01-16", "AddUser", {"Name": name(), "UseApi": 1}, "SecretKey"),
    ):  # fmt: skip
        payload = json.dumps(params).encode()
        headers = tc3.post_headers(
            keys["secret_id"], Secret(keys["secret_key"]), service=service, version=version, action=action,
            region=keys["region"], timestamp=int(time.time()), host=netloc(secure), payload=payload,
        )  # fmt: skip
        trust = ssl.create_default_context(cafile=authority)
        answer = httpx.post(secure.endpoint + "/", content=payload, headers=headers, verify=trust, timeout=60)
        assert answer.json()["Response"].get(told), answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Browsers would insist on TLS for everything at `localhost`.
        assert "strict-transport-security" not in answer.headers


def test_the_tencent_sdk_speaks_tls(secure: Rolecall, trusted: str) -> None:
    keys = secure.tencent
    http = HttpProfile(protocol="https", endpoint=netloc(secure), certification=trusted)
    profile = ClientProfile(httpProfile=http)
    client = PostgresClient(Credential(keys["secret_id"], keys["secret_key"]), keys["region"], profile)
    request = models.DescribeAccountsRequest()
    request.DBInstanceId = secure.instance_id
    assert client.DescribeAccounts(request).TotalCount is not None


@pytest.fixture(scope="module")
def with_mariadb(secure: Rolecall) -> Rolecall:
    if "aliyun" not in secure.ready:
        pytest.skip("no MariaDB on this system")
    return secure


def test_the_aliyun_sdk_speaks_tls(with_mariadb: Rolecall, trusted: str) -> None:
    keys = with_mariadb.ready["aliyun"]
    client = AcsClient(keys["access_key_id"], keys["access_key_secret"], keys["region_id"], verify=trusted)
    request = DescribeAccountsRequest()
    request.set_endpoint(netloc(with_mariadb))
    request.set_protocol_type("https")
    request.set_accept_format("json")
    request.set_InstanceId(keys["instance_id"])
    assert "AccountList" in json.loads(client.do_action_with_exception(request))


def test_openstacks_client_speaks_tls(
    with_mariadb: Rolecall, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = with_mariadb.ready["openstack"]
    database = openstack.connect(
        auth_url=keys["auth_url"],
        username=keys["username"],
        password=keys["password"],
        project_id=keys["project_id"],
        user_domain_id="default",
        region_name="RegionOne",
        cacert=authority,
    ).database
    assert list(database.users(keys["instance_id"])) is not None


def test_the_demo_follows_the_ready_file_to_https(secure: Rolecall) -> None:
    assert "logged in" in secure.cli("demo").stdout


def test_health_and_metrics_are_to_be_had_on_their_own_address_alone(
    secure: Rolecall, authority: str
) -> None:
    admin = str(secure.ready["admin_endpoint"])
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.get(admin + path).status_code == 200
        public = httpx.get(secure.endpoint + path, verify=ssl.create_default_context(cafile=authority))
        assert "ready" not in public.text
        assert "rolecall_calls_total" not in public.text
        assert public.headers["content-type"] != "text/plain; version=0.0.4; charset=utf-8"
    assert httpx.get(admin + "/v3").status_code == 404
    assert httpx.post(admin + "/readyz").status_code == 404


def test_the_authority_outlives_a_restart_and_signs_for_no_other_site(
    secure: Rolecall, authority: str
) -> None:
    kept = Path(authority).read_bytes()
    own_certificate(Path(authority).parent, ["localhost"])
    assert Path(authority).read_bytes() == kept
    constraints = x509.load_pem_x509_certificate(kept).extensions.get_extension_for_class(
        x509.NameConstraints
    )
    assert constraints.critical
    assert x509.DNSName("postgres.tencentcloudapi.com") in (constraints.value.permitted_subtrees or ())
    for file in Path(authority).parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_new_name_makes_a_new_authority(tmp_path: Path) -> None:
    one = own_certificate(tmp_path / "tls", ["one.example"]).authority.read_bytes()
    assert own_certificate(tmp_path / "tls", ["two.example"]).authority.read_bytes() != one


@pytest.fixture
def production(secure: Rolecall) -> dict[str, str]:
    """The environment of `rolecall serve` on the store of the running one."""
    kept = json.loads((secure.data / "secrets.json").read_text())
    connection = json.loads((secure.data / "connection.json").read_text())
    return {
        **os.environ,
        "ROLECALL_DATABASE_URL": connection["database_url"],
        "ROLECALL_MASTER_KEY": kept["master_key"],
        "ROLECALL_LOG_LEVEL": "warning",
    }


def serving(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for it while the process runs."""
    until(lambda: process.poll() is not None or condition())
    assert process.poll() is None


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_reads_its_certificate_again_at_sighup(
    production: dict[str, str], tmp_path: Path, workers: int
) -> None:
    made = own_certificate(tmp_path / "tls", [])
    port, admin = free_port(), free_port()
    process = subprocess.Popen(
        [PROGRAM, "serve", "--listen", f"127.0.0.1:{port}", "--workers", str(workers),
         "--tls-cert", made.server, "--tls-key", made.server, "--admin-listen", f"127.0.0.1:{admin}"],
        env=production, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    endpoint = Rolecall(process, {"endpoint": f"https://127.0.0.1:{port}"}, tmp_path, production)

    def leaf() -> bytes | None:
        try:
            return bytes(shaken(endpoint, str(made.authority), "localhost")["leaf"])
        except OSError:
            return None

    def is_ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{admin}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        serving(is_ready, process)
        trust = ssl.create_default_context(cafile=str(made.authority))
        answer = httpx.get(endpoint.endpoint + "/v3", verify=trust)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        first = leaf()
        assert first is not None
        kept = made.server.read_text()
        if workers == 1:
            made.server.write_text("no certificate")
            process.send_signal(signal.SIGHUP)
            assert leaf() == first
        made.server.write_text(kept)
        own_certificate(tmp_path / "tls", [])
        process.send_signal(signal.SIGHUP)
        serving(lambda: leaf() not in (None, first), process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) in (0, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tls-cert", "/nonexistent"], "set together"),
        (["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"], "cannot be used"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told_at_once(
    production: dict[str, str], arguments: list[str], told: str
) -> None:
    for command in (["serve"], ["up", "--data", "/nonexistent/data"]):
        done = subprocess.run([PROGRAM, *command, *arguments], env=production, capture_output=True, text=True)
        assert (done.returncode, told in done.stderr) == (1, True), done.stderr
