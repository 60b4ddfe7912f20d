"""Servers that callers create through the API, on this machine."""

from __future__ import annotations

from rolecall.domain.provisioning.ports import Blueprint
from rolecall.local.provisioner import ADMINISTRATORS, LocalProvisioner
from rolecall.server_kinds import LOCAL_OPTIONS, MARIADB, POSTGRESQL, new_faces


class CallersServers(LocalProvisioner):
    """Servers on this machine that callers create, and the instance that each is registered as."""

    def blueprint(self, engine: str, region: str, zone: str) -> Blueprint:
        """Empty `region` and `zone` mean those of the kind."""
        kind = MARIADB if engine == MARIADB.engine else POSTGRESQL
        placed = region or kind.region
        return Blueprint(
            administrator=ADMINISTRATORS[engine],
            database=kind.database,
            options={**kind.options, **LOCAL_OPTIONS.get(engine, {})},
            region=placed,
            zone=zone or placed + kind.zone_suffix,
            faces=new_faces(kind),
        )
