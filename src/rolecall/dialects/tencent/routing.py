"""Which contract a request is for. Version and Action decide; Host only chooses the words of a refusal.

Behind an IP address or ``localhost`` neither Host nor (Node, Java) the credential scope names the service, so
Version and Action are the only names that are always right.
"""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.contracts.model import Contract
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates

DOMAIN = ".tencentcloudapi.com"


class Routing:
    """Contracts by version, and the services they belong to."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._by_version: dict[str, list[Contract]] = {}
        for contract in contracts:
            self._by_version.setdefault(contract.version, []).append(contract)
        self._services = {each.service for group in self._by_version.values() for each in group}

    def serves(self, service: str) -> bool:
        return service in self._services

    def find(self, version: str, action: str, host: str) -> Contract:
        """Refuses with SERVICE_UNKNOWN, VERSION_UNKNOWN or ACTION_UNKNOWN."""
        candidates = self._by_version.get(version, [])
        for contract in candidates:
            if action in contract.actions:
                return contract
        service = self._service_of(host)
        if not candidates or (service and all(each.service != service for each in candidates)):
            raise self._version_unknown(version, service, host)
        # A version may be several services': the host tells which is meant, an unknown action does not.
        named = service or " or ".join(contract.service for contract in candidates)
        facts = {"value": action, "version": version, "service": named}
        raise Refused(Reason.ACTION_UNKNOWN, "Action", facts=facts)

    def _version_unknown(self, version: str, service: str, host: str) -> Refused:
        label = _name_of(host).partition(".")[0]
        if not service and _name_of(host).endswith(DOMAIN):
            return Refused(Reason.SERVICE_UNKNOWN, facts={"value": label})
        named = service or (next(iter(self._services)) if len(self._services) == 1 else label)
        return Refused(Reason.VERSION_UNKNOWN, "Version", facts={"value": version, "service": named})

    def _service_of(self, host: str) -> str:
        label = _name_of(host).partition(".")[0]
        return label if label in self._services else ""


def _name_of(host: str) -> str:
    """The bare lower-case name in a Host header, which may carry a scheme, a port and a path."""
    return host_candidates(host)[-1].lower()
