"""Identity v3 and v2.0 (contracts: `rolecall.contracts.openstack.identity.contract`).

| action | command | answer |
|---|---|---|
| IssueToken | (the proven credential itself) | a token, its catalog |
| ShowToken | ShowToken | the same, of a token that is there |
| RevokeToken | RevokeToken | - |
| ListVersions, ShowVersion | (tables) | version documents |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rolecall.contracts.openstack.identity import parameters
from rolecall.contracts.openstack.places import DATABASE_PLACE, base_url
from rolecall.domain.access.tokens import RevokeToken, ShowToken, TokenShown
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Checked, IssuedToken, Secret, TokenFacts, TokenIssuer
from rolecall.verbs import Answer, IssuingVerb, StaticVerb, Verbs, call_verb, nothing, verb, verbs_of

_DOMAIN = {"id": "default", "name": "Default"}
_ADMIN, _MEMBER = {"id": "1", "name": "admin"}, {"id": "2", "name": "member"}
_RACKSPACE_METHODS: Mapping[str, str] = {"apikey": "APIKEY"}
_KEYSTONE_METHODS: Mapping[str, str] = {"apikey": "password"}


def _issue(checked: Checked[parameters.IssueToken], issuer: TokenIssuer) -> IssuedToken:
    """TENANT_FOREIGN for any tenant but the caller's own: its id and its name are the owner's number."""
    own = checked.caller.owner_number
    if checked.params.tenant not in ("", str(own)):
        raise Refused(Reason.TENANT_FOREIGN, "tenant", facts={"value": checked.params.tenant})
    return issuer.issue(checked.call.envelope.request.received, own)


def _subject(params: parameters.OnToken) -> Secret:
    """OBJECT_MISSING without a token in the request (Keystone)."""
    asked = params.subject
    if asked is None:
        raise Refused(Reason.OBJECT_MISSING, "subject", note="no token in the request")
    return asked


def _show_v2(checked: Checked[parameters.ShowTokenV2]) -> ShowToken:
    """It may ask for the token of one tenant alone."""
    if (checked.params.belongsTo or "") not in ("", str(checked.caller.owner_number)):
        raise Refused(Reason.OBJECT_MISSING, "belongsTo", note="a token of another tenant")
    return ShowToken(_subject(checked.params))


def _revoke(params: parameters.RevokeToken) -> RevokeToken:
    return RevokeToken(_subject(params))


def issue_v3(checked: Checked[parameters.IssueToken], issuer: TokenIssuer) -> Answer:
    issued = _issue(checked, issuer)
    return _token_v3(checked, checked.caller, issued.text, issued.token)


def issue_v2(checked: Checked[parameters.IssueToken], issuer: TokenIssuer) -> Answer:
    issued = _issue(checked, issuer)
    return _token_v2(checked, checked.caller, issued.text, issued.token)


def show_v3(checked: Checked[parameters.ShowTokenV3], shown: TokenShown) -> Answer:
    return _token_v3(checked, shown.holder, shown.text, shown.facts)


def show_v2(checked: Checked[object], shown: TokenShown) -> Answer:
    return _token_v2(checked, shown.holder, shown.text, shown.facts)


def _roles(holder: Caller) -> list[dict[str, str]]:
    """What a token says to other services; here policies decide. Only the owner itself may do everything."""
    return [_ADMIN, _MEMBER] if holder.is_owner and holder.session is None else [_MEMBER]


def _token_v3(
    checked: Checked[parameters.IssueToken | parameters.ShowTokenV3],
    holder: Caller,
    shown: Secret,
    facts: TokenFacts,
) -> Answer:
    """The token itself stands in ``subject_token`` and goes into a header."""
    tenant, user = str(holder.owner_number), holder.access_key_id
    token: Answer = {
        "methods": [_KEYSTONE_METHODS.get(facts.method, facts.method)],
        "user": {"id": user, "name": user, "domain": _DOMAIN, "password_expires_at": None},
        "audit_ids": [facts.audit_id],
        "expires_at": _moment(facts.expires_at, 6),
        "issued_at": _moment(facts.issued_at, 6),
        "project": {"id": tenant, "name": tenant, "domain": _DOMAIN},
        "is_domain": False,
        "roles": _roles(holder),
    }
    if not checked.params.nocatalog:
        token["catalog"] = [_v3_service(checked, *service) for service in _services(checked)]
    return {"subject_token": shown, "token": token}


def _token_v2(checked: Checked[object], holder: Caller, shown: Secret, facts: TokenFacts) -> Answer:
    tenant, user = str(holder.owner_number), holder.access_key_id
    return {
        "access": {
            "token": {
                "id": shown,
                "issued_at": _moment(facts.issued_at, 3),
                "expires": _moment(facts.expires_at, 3),
                "tenant": {"id": tenant, "name": tenant},
                "RAX-AUTH:authenticatedBy": [_RACKSPACE_METHODS.get(facts.method, "PASSWORD")],
            },
            "serviceCatalog": [_v2_service(checked, *service) for service in _services(checked)],
            "user": {
                "id": user,
                "name": user,
                "username": user,
                "roles": _roles(holder),
                "roles_links": [],
                "RAX-AUTH:defaultRegion": checked.call.region,
            },
        }
    }


def _services(checked: Checked[object]) -> tuple[tuple[str, str, str], ...]:
    """Type, name and URL of each: OpenStack's clients look for ``database``, Rackspace's for ``rax:database``."""
    request = checked.call.envelope.request
    databases = f"{base_url(request)}{DATABASE_PLACE}/v1.0/{checked.caller.owner_number}"
    return (
        ("database", "trove", databases),
        ("rax:database", "cloudDatabases", databases),
        ("identity", "keystone", f"{base_url(request)}/{checked.call.version}"),
    )


def _v3_service(checked: Checked[object], type_: str, name: str, url: str) -> Answer:
    region = checked.call.region
    endpoints = [
        {
            "id": f"{name}-{interface}",
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        }
        for interface in ("public", "internal", "admin")
    ]
    return {"id": name, "type": type_, "name": name, "endpoints": endpoints}


def _v2_service(checked: Checked[object], type_: str, name: str, url: str) -> Answer:
    endpoint = {
        "region": checked.call.region,
        "tenantId": str(checked.caller.owner_number),
        "publicURL": url,
        "internalURL": url,
        "adminURL": url,
    }
    return {"type": type_, "name": name, "endpoints": [endpoint], "endpoints_links": []}


def _moment(seconds: int, digits: int) -> str:
    """``2026-11-22T02:21:15.000000Z`` with that many digits behind the point."""
    return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{'0' * digits}Z")


def versions(checked: Checked[object]) -> Answer:
    return {"versions": {"values": [_v3_version(checked), _v2_version(checked)]}}


def v3_version(checked: Checked[object]) -> Answer:
    return {"version": _v3_version(checked)}


def v2_version(checked: Checked[object]) -> Answer:
    return {"version": _v2_version(checked)}


def _v3_version(checked: Checked[object]) -> Answer:
    return _version(checked, "v3.14", "stable", "2020-04-07T00:00:00Z", "v3")


def _v2_version(checked: Checked[object]) -> Answer:
    return _version(checked, "v2.0", "deprecated", "2016-08-04T00:00:00Z", "v2.0")


def _version(checked: Checked[object], id_: str, status: str, updated: str, path: str) -> Answer:
    media = {"base": "application/json", "type": f"application/vnd.openstack.identity-{path}+json"}
    return {
        "id": id_,
        "status": status,
        "updated": updated,
        "links": [{"rel": "self", "href": f"{base_url(checked.call.envelope.request)}/{path}/"}],
        "media-types": [media],
    }


V3_VERBS: Verbs = verbs_of(
    StaticVerb(parameters.ListVersions, versions),
    StaticVerb(parameters.ShowVersion, v3_version),
    IssuingVerb(parameters.IssueToken, issue_v3),
    verb(parameters.ShowTokenV3, lambda params: ShowToken(_subject(params)), show_v3),
    verb(parameters.RevokeToken, _revoke, nothing),
)
V2_VERBS: Verbs = verbs_of(
    StaticVerb(parameters.ListVersions, versions),
    StaticVerb(parameters.ShowVersion, v2_version),
    IssuingVerb(parameters.IssueToken, issue_v2),
    call_verb(parameters.ShowTokenV2, _show_v2, show_v2),
    verb(parameters.RevokeToken, _revoke, nothing),
)
