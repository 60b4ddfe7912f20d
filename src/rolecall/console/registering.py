"""Servers of one's own, for the owner: registered with the checks of `rolecall doctor`, checked, changed, removed.

What was typed is checked here, and the server by `rolecall.domain.instances.registrations`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rolecall.console import pages
from rolecall.console.accounts.addresses import instance_address
from rolecall.console.changes import Input
from rolecall.console.instances import HOME, SECTION, InstanceList
from rolecall.console.owners import (
    Changed,
    OwnersChange,
    OwnersChangeRefused,
    OwnersChanges,
    always,
    for_owners,
)
from rolecall.console.paths import PREFIX
from rolecall.console.sign_in import SECRET
from rolecall.console.visits import Page, Visit
from rolecall.domain.engine import VerifierWrite
from rolecall.domain.instances.channels import sslmode
from rolecall.domain.instances.examination import Finding
from rolecall.domain.instances.registrations import ChangeRefused, Wanted
from rolecall.domain.instances.registry import FaceTaken, Instance, NewInstance
from rolecall.domain.operations.audit import Audit
from rolecall.server_kinds import ENGINES, KINDS, SSL_MODES, Address, face_of, new_faces, new_instance
from rolecall.values import Reply

_ONE = f"{HOME}/{{instance}}"

_LONGEST: Mapping[str, int] = {"name": 60, "administrator": 128, "database": 63, "sslrootcert": 1024}
"""Characters of free texts."""

_RULES: Mapping[str, re.Pattern[str]] = {
    "host": re.compile(r"[A-Za-z0-9._:-]{1,255}"),
    "public_id": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "region": re.compile(r"[a-z0-9-]{1,64}"),
    "zone": re.compile(r"[a-z0-9-]{1,64}"),
    "sslrootcert": re.compile(r"/.+"),
    "sslmode": re.compile("|".join(SSL_MODES)),
    "engine": re.compile("|".join(ENGINES)),
    "verifier_write": re.compile("|".join(VerifierWrite)),
    "account_quota": re.compile(r"[0-9]{1,9}"),
    "callers": re.compile(r"[0-9]{1,18}(?:[ ,]+[0-9]{1,18})*"),
}
"""Of what was typed and is not empty. A host is one name or address: no path of a socket, no list."""

_TLS = (
    Input(
        "sslmode",
        "tls_mode",
        "select",
        hint="tls_mode_hint",
        options=(("", "tls_default"), *((mode, "") for mode in SSL_MODES)),
    ),
    Input("sslrootcert", "tls_authorities", hint="tls_authorities_hint"),
)
_INPUTS = always(
    Input("engine", "engine", "select", options=[(engine, f"engine_{engine}") for engine in ENGINES]),
    Input("host", "server_host", hint="server_host_hint", required=True),
    Input("port", "port", hint="port_hint"),
    Input("administrator", "administrator", hint="administrator_hint", required=True),
    Input("database", "maintenance_database", hint="maintenance_database_hint"),
    *_TLS,
    Input("name", "name", hint="instance_name_hint"),
    Input("public_id", "public_id", hint="public_id_hint"),
    Input("region", "region", hint="region_hint"),
    Input("zone", "zone"),
)
_PASSWORD = Input("password", "administrator_password", "secret", hint="typed_twice_hint", required=True)


class Registering(Protocol):
    """`rolecall.domain.instances.registrations.Registrations`."""

    async def examine_new(self, new: NewInstance) -> Sequence[Finding]: ...
    async def examine(self, instance: Instance) -> Sequence[Finding]: ...
    async def examine_changed(self, instance: Instance, wanted: Wanted) -> Sequence[Finding]: ...
    async def register(self, new: NewInstance) -> Instance: ...
    async def change(self, instance: Instance, wanted: Wanted) -> None: ...
    async def remove(self, instance: Instance) -> None: ...


class RegistrationPages:
    def __init__(self, instances: InstanceList, registrations: Registering, audit: Audit) -> None:
        self._instances = instances
        self._registrations = registrations
        changes = (
            OwnersChange(
                f"{PREFIX}/new-instance",
                SECTION,
                "instance_new",
                "instance add",
                self._register,
                self._new_facts,
                lambda _: HOME,
                _INPUTS,
                self._examine_new,
                lambda visit: {
                    "administrator": visit.posted["administrator"],
                    "address": f"{visit.posted['host']}:{_kind_port(visit)}",
                },
                effects=_effects,
                secrets=(_PASSWORD,),
            ),
            OwnersChange(
                f"{_ONE}/edit",
                SECTION,
                "instance_edit",
                "instance set",
                self._change,
                self._facts,
                _back,
                self._present,
                self._examine_changed,
                lambda visit: {"instance": visit.path["instance"], **_typed(visit)},
            ),
            OwnersChange(
                f"{_ONE}/remove",
                SECTION,
                "instance_remove",
                "instance remove",
                self._remove,
                self._facts,
                lambda _: HOME,
                detail=lambda visit: {"instance": visit.path["instance"]},
                danger=True,
            ),
        )
        self.pages = (
            *OwnersChanges(audit, changes).pages,
            Page(f"{_ONE}/check", for_owners(SECTION, self._check)),
        )

    async def _check(self, visit: Visit) -> Reply:
        instance = await self._found(visit)
        if instance is None:
            return pages.error(visit.request, 404, "not_found")
        return pages.page(
            visit,
            "instance_check.html",
            section=SECTION,
            instance=instance,
            instance_at=instance_address(face_of(instance)),
            findings=await self._registrations.examine(instance),
        )

    async def _found(self, visit: Visit) -> Instance | None:
        for instance in await self._instances.all(visit.visitor.caller):
            if visit.path["instance"] in instance.faces.values():
                return instance
        return None

    async def _facts(self, visit: Visit) -> dict[str, str] | None:
        found = await self._found(visit)
        return None if found is None else {"name": found.name, "address": f"{found.host}:{found.port}"}

    async def _known(self, visit: Visit) -> Instance:
        found = await self._found(visit)
        if found is None:
            raise OwnersChangeRefused(visit.text("not_found"))
        return found

    async def _new_facts(self, visit: Visit) -> dict[str, str]:
        posted = visit.posted
        return {"name": posted["name"] or posted["host"], "address": f"{posted['host']}:{_kind_port(visit)}"}

    async def _examine_new(self, visit: Visit) -> Sequence[Finding]:
        findings = await self._registrations.examine_new(_new(visit))
        if any(finding.is_fatal for finding in findings):
            raise OwnersChangeRefused(visit.text("not_registered"), findings=findings)
        return findings

    async def _register(self, visit: Visit) -> Changed:
        try:
            instance = await self._registrations.register(_new(visit))
        except FaceTaken:
            raise OwnersChangeRefused(visit.text("public_id_taken"), "public_id") from None
        return Changed(face_of(instance))

    async def _present(self, visit: Visit) -> Sequence[Input]:
        """The inputs of a change, with what is now. A server that Rolecall runs stays where it is."""
        instance = await self._known(visit)
        now = _now(instance)
        place = () if instance.provision else (Input("host", "server_host"), Input("port", "port"), *_TLS)
        inputs = (
            Input("revision", "", "hidden"),
            Input("name", "name", required=True),
            *place,
            Input("isolated", "isolate", "box", hint="isolate_hint"),
            Input("callers", "listed_callers", hint="listed_callers_hint"),
            Input("account_quota", "account_quota", hint="account_quota_hint"),
            *((_VERIFIERS,) if "verifier_write" in now else ()),
        )
        return [replace(each, value=now[each.name]) for each in inputs]

    async def _wanted(self, visit: Visit) -> tuple[Instance, Wanted]:
        """What differs from what is now. Raises `OwnersChangeRefused`."""
        _check_rules(visit)
        instance = await self._known(visit)
        if visit.posted["revision"] != str(instance.revision):
            raise OwnersChangeRefused(visit.text("instance_changed_meanwhile"))
        now = _now(instance)
        offered = {each.name for each in await self._present(visit)}
        new = {name: text for name, text in _typed(visit).items() if name in offered and text != now[name]}
        if not new:
            raise OwnersChangeRefused(visit.text("nothing_to_change"))
        for name in ("name", "host", "port"):
            if name in new and not new[name]:
                raise OwnersChangeRefused(visit.text("missing"), name)
        callers = tuple(int(number) for number in re.findall(r"[0-9]+", new.get("callers", "")))
        wanted = Wanted(
            name=new.get("name"),
            isolated=bool(new["isolated"]) if "isolated" in new else None,
            listed_callers=callers or None,
            every_caller="callers" in new and not callers,
            host=new.get("host"),
            port=int(new["port"]) if "port" in new else None,
            options={option: new[option] for option in _OPTIONS if option in new},
        )
        return instance, wanted

    async def _examine_changed(self, visit: Visit) -> Sequence[Finding]:
        """Of a server that is reached in another way. What is found does not prevent the change: it may be down now."""
        instance, wanted = await self._wanted(visit)
        if not (wanted.host or wanted.port or wanted.options.keys() - {"account_quota"}):
            return ()
        try:
            return await self._registrations.examine_changed(instance, wanted)
        except ChangeRefused as refused:
            raise OwnersChangeRefused(str(refused)) from None

    async def _change(self, visit: Visit) -> Changed:
        try:
            await self._registrations.change(*await self._wanted(visit))
        except ChangeRefused as refused:
            raise OwnersChangeRefused(str(refused)) from None
        return Changed(visit.path["instance"])

    async def _remove(self, visit: Visit) -> Changed:
        try:
            await self._registrations.remove(await self._known(visit))
        except ChangeRefused as refused:
            raise OwnersChangeRefused(str(refused)) from None
        return Changed(visit.path["instance"])


_OPTIONS = ("sslmode", "sslrootcert", "account_quota", "verifier_write")

_VERIFIERS = Input(
    "verifier_write",
    "verifier_write",
    "select",
    hint="verifier_write_hint",
    options=[(way.value, "") for way in VerifierWrite],
)


def _now(instance: Instance) -> dict[str, str]:
    """What the inputs of a change hold now."""
    options = instance.options
    now = {
        "revision": str(instance.revision),
        "name": instance.name,
        "host": instance.host,
        "port": str(instance.port),
        "isolated": "yes" if instance.isolated else "",
        "callers": ", ".join(map(str, instance.listed_callers or ())),
        "sslmode": options.get("sslmode", ""),
        "sslrootcert": options.get("sslrootcert", ""),
        "account_quota": options.get("account_quota", ""),
    }
    if instance.engine == "postgresql":
        now["verifier_write"] = options.get("verifier_write", VerifierWrite.STATEMENT.value)
    return now


def _typed(visit: Visit) -> dict[str, str]:
    names = ("name", "host", "port", "isolated", "callers", *_OPTIONS)
    return {name: visit.posted[name].strip() for name in names}


def _check_rules(visit: Visit) -> None:
    """Raises `OwnersChangeRefused` for the first text that cannot be used."""
    for name, text in visit.posted:
        text, rule = text.strip(), _RULES.get(name)
        if text and rule is not None and not rule.fullmatch(text):
            raise OwnersChangeRefused(visit.text(f"{name}_malformed"), name)
        # Who reads a pipe waits, and every call with it.
        if text and name == "sslrootcert" and not _is_file(text):
            raise OwnersChangeRefused(visit.text(f"{name}_malformed"), name)
        if name in _LONGEST and (len(text) > _LONGEST[name] or not text.isprintable()):
            raise OwnersChangeRefused(visit.text("text_malformed", most=_LONGEST[name]), name)
    port = visit.posted["port"].strip()
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        raise OwnersChangeRefused(visit.text("port_malformed"), "port")


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # such as a name that is too long
        return False


def _new(visit: Visit) -> NewInstance:
    """The instance that was typed. Raises `OwnersChangeRefused`."""
    _check_rules(visit)
    given = {name: text.strip() for name, text in visit.posted}
    for name in ("engine", "host", "administrator"):
        if not given.get(name):
            raise OwnersChangeRefused(visit.text("missing"), name)
    password = visit.posted.secret(f"{SECRET}password")
    if not visit.posted[f"{SECRET}password"]:
        raise OwnersChangeRefused(visit.text("missing"), "password")
    kind = KINDS[given["engine"]]
    options = {"sslmode": given.get("sslmode") or sslmode(given["host"], {})}
    if given.get("sslrootcert"):
        options["sslrootcert"] = given["sslrootcert"]
    faces = new_faces(kind, given.get("public_id") or None)
    address = Address(
        given["host"],
        int(_kind_port(visit)),
        given["administrator"],
        password,
        given.get("database") or kind.database,
    )
    return new_instance(
        visit.visitor.caller.owner_id,
        kind,
        address,
        name=given.get("name") or next(iter(faces.values())),
        faces=faces,
        region=given.get("region") or None,
        zone=given.get("zone") or None,
        options=options,
    )


def _kind_port(visit: Visit) -> str:
    kind = KINDS.get(visit.posted["engine"])
    return visit.posted["port"].strip() or ("" if kind is None else str(kind.port))


def _effects(visit: Visit) -> Sequence[str]:
    """What is recorded of a new instance."""
    new = _new(visit)
    return (
        visit.text("effect_recorded", administrator=new.administrator, database=new.database),
        visit.text("effect_tls", mode=new.options["sslmode"]),
        visit.text("effect_placed", region=new.region, zone=new.zone, dialects=", ".join(new.faces)),
        visit.text("effect_server_unchanged"),
    )


def _back(visit: Visit) -> str:
    return instance_address(visit.path["instance"])
