"""The services that are spoken, each a contract with its verbs, and the vendors' own host names of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rolecall.contracts.aliyun import petadata
from rolecall.contracts.openstack import databases, identity
from rolecall.contracts.tencent import cam, ciam, sts, tag
from rolecall.contracts.tencent import postgres as tencent_postgres
from rolecall.dialects.aliyun.envelope import DOMAIN as ALIYUN_DOMAIN
from rolecall.dialects.tencent.routing import DOMAIN as TENCENT_DOMAIN
from rolecall.pipeline import Service
from rolecall.verbs import cam as cam_verbs
from rolecall.verbs import ciam as ciam_verbs
from rolecall.verbs import databases as databases_verbs
from rolecall.verbs import identity as identity_verbs
from rolecall.verbs import petadata as petadata_verbs
from rolecall.verbs import postgres as postgres_verbs
from rolecall.verbs import sts as sts_verbs
from rolecall.verbs import tag as tag_verbs

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

_HOSTS: Mapping[str, tuple[str, str]] = {
    "tencent": (TENCENT_DOMAIN, "ap-guangzhou"),
    "aliyun": (ALIYUN_DOMAIN, "cn-hangzhou"),
}
"""By dialect: the vendor's domain, and the region of the quickstart instances."""

VENDOR_HOSTS: Sequence[str] = sorted(
    f"{service}{region}{domain}"
    for service, (domain, quickstart) in {
        (one.contract.service, _HOSTS[one.contract.dialect])
        for one in SERVICES
        if one.contract.dialect in _HOSTS
    }
    for region in ("", f".{quickstart}")
)
"""The vendors' own names of what is served: some clients insist on calling by them."""
