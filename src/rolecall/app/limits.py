"""Limits, as the settings say."""

from __future__ import annotations

from rolecall.admission import Admission
from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.directories.login import LockRules
from rolecall.domain.directories.wiring import DirectoryQuotas
from rolecall.domain.iam.sub_users import Quotas
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.metrics import Metrics
from rolecall.settings import Settings
from rolecall.store import Store
from rolecall.workers import shared_directory


def admission(settings: Settings, metrics: Metrics) -> Admission:
    rate = settings.rate_limit
    return Admission(
        int(rate) if rate.isdecimal() else None,
        contract_rates=rate == "contract",
        store=settings.rate_limit_store,
        workers=shared_directory(),
        alone=metrics.counted_alone,
    )


def addresses(settings: Settings, store: Store) -> AddressLimit:
    most, seconds = settings.sign_in_address_failures, settings.sign_in_lock_seconds
    return AddressLimit(store.failures, store.audit, most, seconds)


def lanes(settings: Settings) -> LaneLimits:
    """Each worker has an equal share of the lane to an instance, and at least one place in it."""
    width, depth = settings.lane_width // settings.workers, settings.lane_depth // settings.workers
    return LaneLimits(width=max(1, width), depth=depth)


def locks(settings: Settings) -> LockRules:
    return LockRules(settings.sign_in_failures, settings.sign_in_lock_seconds)


def sub_users(settings: Settings) -> Quotas:
    return Quotas(settings.sub_user_quota, settings.sub_user_rate or None)


def directories(settings: Settings) -> DirectoryQuotas:
    changes = 0 if settings.rate_limit == "off" else settings.user_rate
    return DirectoryQuotas(settings.user_store_quota, settings.user_quota, settings.user_group_quota, changes)
