"""The services that are served, each a contract with its verbs, and the vendors' host names for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rolecall.contracts.aliyun.petadata import contract as petadata
from rolecall.contracts.model import Contract, ErrorRow
from rolecall.contracts.openstack.databases import contract as databases
from rolecall.contracts.openstack.identity import contract as identity
from rolecall.contracts.tencent.cam import contract as cam
from rolecall.contracts.tencent.ciam import contract as ciam
from rolecall.contracts.tencent.postgres import contract as tencent_postgres
from rolecall.contracts.tencent.sts import contract as sts
from rolecall.contracts.tencent.tag import contract as tag
from rolecall.dialects.aliyun import Aliyun
from rolecall.dialects.aliyun.envelope import DOMAIN as ALIYUN_DOMAIN
from rolecall.dialects.aliyun.refusals import COMMON as ALIYUN_ROWS
from rolecall.dialects.openstack import OpenStack
from rolecall.dialects.openstack.routing import DATABASE_VERSIONS
from rolecall.dialects.openstack.routing import ROUTES as _ROUTES
from rolecall.dialects.tencent import Tencent
from rolecall.dialects.tencent.refusals import COMMON as TENCENT_ROWS
from rolecall.dialects.tencent.routing import DOMAIN as TENCENT_DOMAIN
from rolecall.domain.reasons import Reason
from rolecall.pipeline import Dialect, Service
from rolecall.settings import Settings
from rolecall.verbs.cam import verbs as cam_verbs
from rolecall.verbs.ciam import verbs as ciam_verbs
from rolecall.verbs.databases import verbs as databases_verbs
from rolecall.verbs.identity import verbs as identity_verbs
from rolecall.verbs.petadata import verbs as petadata_verbs
from rolecall.verbs.postgres import verbs as postgres_verbs
from rolecall.verbs.sts import verbs as sts_verbs
from rolecall.verbs.tag import verbs as tag_verbs

SERVICES: Sequence[Service] = (
    Service(tencent_postgres.CONTRACT, postgres_verbs.VERBS),
    Service(cam.CONTRACT, cam_verbs.VERBS),
    Service(sts.CONTRACT, sts_verbs.VERBS),
    Service(tag.CONTRACT, tag_verbs.VERBS),
    Service(ciam.CONTRACT, ciam_verbs.VERBS),
    Service(ciam.EARLIER, ciam_verbs.EARLIER_VERBS),
    Service(petadata.CONTRACT, petadata_verbs.VERBS),
    Service(databases.CONTRACT, databases_verbs.VERBS),
    Service(identity.V3, identity_verbs.V3_VERBS),
    Service(identity.V2, identity_verbs.V2_VERBS),
)

BY_NAME: Mapping[tuple[str, str, str], Service] = {
    (service.contract.dialect, service.contract.service, service.contract.version): service
    for service in SERVICES
}
"""By dialect, service and version."""

COMMON_ROWS: Mapping[str, Mapping[Reason | tuple[Reason, str], ErrorRow]] = {
    "tencent": TENCENT_ROWS,
    "aliyun": ALIYUN_ROWS,
    "openstack": {},  # its contracts are total
}
"""By dialect: the rows for reasons without a row in a contract."""

ROUTES: Mapping[tuple[str, str, str], tuple[str, str]] = {
    (route.service, route.version, route.action): (route.method, route.template)
    for route in reversed((*_ROUTES, DATABASE_VERSIONS))
}
"""By service, version and action of a REST API: the method and the template of the path."""

_HOSTS: Mapping[str, tuple[str, str]] = {
    "tencent": (TENCENT_DOMAIN, "ap-guangzhou"),
    "aliyun": (ALIYUN_DOMAIN, "cn-hangzhou"),
}
"""By dialect: the vendor's domain, and the region of the quickstart instances."""

VENDOR_HOSTS: Sequence[str] = sorted(
    f"{service}{region}{domain}"
    for service, (domain, quickstart) in {
        (service.contract.service, _HOSTS[service.contract.dialect])
        for service in SERVICES
        if service.contract.dialect in _HOSTS
    }
    for region in ("", f".{quickstart}")
)
"""The vendors' host names of these services: some clients connect to no other."""

REGIONAL = frozenset({"postgres", "petadata"})
"""Services whose callers choose the region of a call freely."""

INSTANCES: Mapping[str, str] = {
    "postgres": "tencent",
    "petadata": "aliyun",
    "trove": "openstack",
    "cam:resourceUser": "tencent",
}
"""Services, and kinds of their resources, that are instances, with the dialect whose ids these have."""


def dialects(settings: Settings, *, require_tls: bool, external_tokens: bool) -> list[Dialect]:
    """Of equal marks the first dialect answers. `require_tls` refuses all of Alibaba's calls by plain HTTP, as the
    vendor does; `external_tokens`: tokens of an external Keystone are taken."""
    window, hosts = settings.clock_window, settings.public_hosts
    return [
        Tencent(
            _contracts("tencent"),
            clock_window=window,
            public_hosts=hosts,
            signed_action=settings.tencent_signed_action,
            v1=settings.tencent_older_signatures,
        ),
        Aliyun(
            _contracts("aliyun"),
            clock_window=settings.aliyun_clock_window,
            public_hosts=hosts,
            require_tls=require_tls,
        ),
        OpenStack(_contracts("openstack"), region=settings.openstack_region, outside=external_tokens),
    ]


def _contracts(dialect: str) -> list[Contract]:
    return [service.contract for service in SERVICES if service.contract.dialect == dialect]
