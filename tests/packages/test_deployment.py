"""The files that deploy Rolecall: each is valid by its format's own checks, and names only settings that exist."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.packages.conftest import ROOT, shown_after
from tests.waiting import PATIENCE

from rolecall.rate_store import RateStore
from rolecall.settings import Settings, load_settings

BIN = Path(sys.executable).parent
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUBERNETES_VERSIONS = ("1.30", kubernetes_validate.latest_version())
UNIT = ROOT / "deploy" / "systemd" / "rolecall.service"
FILES = [DOCKERFILE, COMPOSE, *sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file())]

VARIABLES = {
    *(f"ROLECALL_{name.upper()}" for name in Settings.model_fields),
    "ROLECALL_DATA",
    "ROLECALL_SECRETS_DIRECTORY",
}


def accepted(*command: str | Path) -> str:
    """The output of a check that must pass."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_file_names_only_settings_that_exist(file: Path) -> None:
    text = file.read_text("utf-8")
    assert set(re.findall(r"\bROLECALL_[A-Z_]+\b", text)) <= VARIABLES
    secrets = re.findall(r"\b(?:file: secrets/|LoadCredential=|key: )(rolecall_[a-z_]+)", text)
    assert {name.upper() for name in secrets} <= VARIABLES


def test_the_linter_of_dockerfiles_has_no_complaint() -> None:
    assert accepted(BIN / "hadolint", DOCKERFILE) == ""


def test_a_builder_is_given_what_the_dockerfile_copies_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    given = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert given == {name for names in copied for name in names.split()}
    assert all((ROOT / name).exists() for name in given)


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text("utf-8")))


def test_the_compose_file_is_valid() -> None:
    accepted(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_services_of_the_compose_file_are_pinned_watched_and_use_what_is_declared() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert service.get("build") == "." or ("healthcheck" in service and ":" in service["image"]), name
        assert set(service.get("secrets", ())) <= set(document["secrets"])
        assert set(service["networks"]) <= set(document["networks"])
        assert set(service.get("depends_on", ())) <= set(document["services"])
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= set(document["volumes"])
    assert [port for each in document["services"].values() for port in each.get("ports", ())] == [
        "127.0.0.1:7653:7653"
    ]


def environments() -> dict[str, dict[str, str]]:
    """The variables that each deployment sets."""
    settings = (KUBERNETES / "settings.env").read_text("utf-8").split()
    return {
        "compose": compose()["services"]["rolecall"]["environment"],
        "image": dict(re.findall(r"\b(ROLECALL_[A-Z_]+)=(\S+)", DOCKERFILE.read_text("utf-8"))),
        "kubernetes": dict(line.split("=", 1) for line in settings),
    }


@pytest.mark.parametrize("deployment", environments())
def test_the_settings_of_a_deployment_can_be_used(
    deployment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environments()[deployment].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROLECALL_SECRETS_DIRECTORY", str(tmp_path))  # the others are not on this machine
    settings = load_settings()
    assert settings.workers >= 1
    if settings.rate_limit_store:
        RateStore(settings.rate_limit_store)


def test_the_secrets_that_compose_mounts_are_made_once_and_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "scripts" / "compose-secrets"
    script.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "compose-secrets", script)
    secrets = tmp_path / "secrets"
    created = accepted(script).splitlines()
    assert created == shown_after("creates passwords and the master key")
    assert len(created) == len(compose()["secrets"])
    assert {f"secrets/{path.name}" for path in secrets.iterdir()} == {
        secret["file"] for secret in compose()["secrets"].values()
    }
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    monkeypatch.setenv("ROLECALL_SECRETS_DIRECTORY", str(secrets))
    settings = load_settings()
    assert len(settings.master_keys()) == 1
    password = (secrets / "store_password").read_text()
    assert len(password) == 48
    assert settings.store_dsn().reveal() == f"postgresql://rolecall:{password}@store/rolecall?sslmode=disable"
    assert accepted(script).count("exists") == len(compose()["secrets"])
    assert (secrets / "store_password").read_text() == password


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there: systemd checks that."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this system")
    file = tmp_path / UNIT.name
    file.write_text(UNIT.read_text("utf-8").replace("/opt/rolecall/bin/rolecall", str(BIN / "rolecall")))
    return file


def test_systemd_reads_the_unit_without_a_complaint(unit: Path) -> None:
    assert accepted("systemd-analyze", "verify", unit) == ""


def test_the_unit_is_exposed_no_more_than_a_network_service_must_be(unit: Path) -> None:
    """systemd's measure goes from 0 to 10; a service without settings has 9.6."""
    rated = accepted("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", unit)
    assert "Overall exposure level for rolecall.service" in rated


def objects(text: str) -> list[dict[str, Any]]:
    return [dict(each) for each in yaml.safe_load_all(text)]


MANIFESTS = {
    path.name: objects(path.read_text("utf-8"))
    for path in KUBERNETES.glob("*.yaml")
    if path.name != "kustomization.yaml"
}


def check_objects(found: list[dict[str, Any]], version: str) -> None:
    for each in found:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_valid(name: str, version: str) -> None:
    check_objects(MANIFESTS[name], version)


def test_the_kustomization_lists_every_manifest_and_renders_to_valid_objects() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))
    assert set(kustomization["resources"]) == set(MANIFESTS)
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this system, so nothing is rendered")
    rendered = objects(accepted("kubectl", "kustomize", KUBERNETES))
    check_objects(rendered, KUBERNETES_VERSIONS[-1])
    assert {each["kind"] for each in rendered} == {
        "ConfigMap",
        *(each["kind"] for manifest in MANIFESTS.values() for each in manifest),
    }


def test_the_install_page_shows_what_is_applied() -> None:
    """`kubectl apply` prints kind and name, and the configuration's name ends with a hash of its content."""
    shown = [re.split(r"[./ ]", line)[0] for line in shown_after("`apply` prints")]
    made = {each["kind"].lower() for manifest in MANIFESTS.values() for each in manifest}
    assert sorted(shown) == sorted(made | {"configmap"})


def test_the_pods_are_several_watched_bounded_and_restricted() -> None:
    """The last as the Pod Security Standard `restricted` has it."""
    (deployment,) = MANIFESTS["deployment.yaml"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert deployment["spec"]["replicas"] >= 2
    paths = {container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")}
    assert paths == {"/healthz", "/readyz"}
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any("hostPath" in volume for volume in pod["volumes"])


def test_deployments_agree_on_the_account_and_the_ports_of_the_image() -> None:
    text = DOCKERFILE.read_text("utf-8")
    (deployment,) = MANIFESTS["deployment.yaml"]
    pod = deployment["spec"]["template"]["spec"]
    user, ports = (
        re.findall(r"^USER (\d+):\1$", text, re.MULTILINE),
        re.findall(r"_LISTEN=0.0.0.0:(\d+)", text),
    )
    assert {int(each) for each in user} == {pod["securityContext"]["runAsUser"]}
    assert {int(port) for port in ports} == {port["containerPort"] for port in pod["containers"][0]["ports"]}
    selectors = [
        each["spec"].get("podSelector", each["spec"].get("selector"))
        for name in ("deployment.yaml", "disruption-budget.yaml", "network-policy.yaml")
        for each in MANIFESTS[name]
    ]
    assert all(
        selector["matchLabels"] == deployment["spec"]["template"]["metadata"]["labels"]
        for selector in selectors
    )
    assert MANIFESTS["service.yaml"][0]["spec"]["selector"] == selectors[0]["matchLabels"]
