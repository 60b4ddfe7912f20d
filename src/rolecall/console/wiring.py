"""Composes the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rolecall.calls import CallMetrics
from rolecall.console.accounts import openstack, tencent
from rolecall.console.accounts.pages import AccountPages
from rolecall.console.actions import Actions
from rolecall.console.changes import ChangePages
from rolecall.console.directories.applications import ApplicationPages, KeyRotation
from rolecall.console.directories.changes import DirectoryChanges
from rolecall.console.directories.colours import ColourPages, ColourRepository
from rolecall.console.directories.imports import ImportPages, Uploads
from rolecall.console.directories.pages import DirectoryPages
from rolecall.console.directories.reading import DirectoryReader
from rolecall.console.explorer.pages import ExplorerPages
from rolecall.console.explorer.signature_pages import SignaturePages
from rolecall.console.instances import InstancePages, VisibleInstances
from rolecall.console.me import OwnPage
from rolecall.console.operations import OperationPages, OperationRecords
from rolecall.console.overview import Overview
from rolecall.console.people import changes as people
from rolecall.console.people.editor import PolicyEditor
from rolecall.console.people.pages import PeoplePages
from rolecall.console.registering import RegistrationPages
from rolecall.console.router import ConsoleRouter
from rolecall.console.sessions import SubjectRepository, VisitorSessions
from rolecall.console.sign_in import OwnPassword, SignInPages
from rolecall.domain.access.browser_sessions import BrowserSessions, SessionRepository
from rolecall.domain.access.keys import Keys
from rolecall.domain.access.sign_in_links import SignInLinkRepository, SignInLinks
from rolecall.domain.access.sign_ins import AddressLimit
from rolecall.domain.bus import Bus
from rolecall.domain.directories.importing import ImportRecords
from rolecall.domain.directories.provider import ApplicationRepository
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.maintenance.call_history import CallHistory
from rolecall.domain.operations.audit import AuditRepository
from rolecall.domain.operations.audit_chain import Auditing
from rolecall.domain.policy.decisions import Decisions
from rolecall.pipeline import Dialect, Pipeline, Service


class Repositories(Protocol):
    @property
    def browser_sessions(self) -> SessionRepository: ...
    @property
    def sign_in_links(self) -> SignInLinkRepository: ...
    @property
    def sign_ins(self) -> SubjectRepository: ...
    @property
    def directories(self) -> ColourRepository: ...
    @property
    def imports(self) -> ImportRecords: ...
    @property
    def provider(self) -> ApplicationRepository: ...
    @property
    def audit(self) -> AuditRepository: ...
    @property
    def operations(self) -> OperationRecords: ...


def router(
    repositories: Repositories,
    keys: Keys,
    signing_keys: KeyRotation,
    uploads: Uploads,
    sub_users: OwnPassword,
    addresses: AddressLimit,
    bus: Bus,
    instances: Instances,
    decisions: Decisions,
    history: CallHistory,
    auditing: Auditing,
    pipeline: Pipeline,
    dialects: Sequence[Dialect],
    services: Mapping[tuple[str, str, str], Service],
    routes: Mapping[tuple[str, str, str], tuple[str, str]],
    metrics: CallMetrics,
    *,
    require_tls: bool = False,
) -> ConsoleRouter:
    """`signing_keys` are of the directories' providers, `uploads` the files of users; `routes`: method and path of the
    actions of REST APIs. `require_tls` refuses requests by plain HTTP."""
    sessions = VisitorSessions(
        sub_users,
        repositories.sign_ins,
        keys,
        SignInLinks(repositories.sign_in_links),
        BrowserSessions(repositories.browser_sessions),
        addresses,
        bus,
    )
    actions = Actions(pipeline, bus, {dialect.name: dialect for dialect in dialects}, services)
    visible = VisibleInstances(actions, instances.resolver, instances.servers)
    changes = ChangePages(actions, (*tencent.CHANGES, *openstack.CHANGES, *people.CHANGES))
    directories = DirectoryReader(actions)
    sections = (
        Overview(actions, visible, history, repositories.audit, repositories.operations),
        RegistrationPages(instances.resolver, instances.registrations, repositories.audit),
        InstancePages(actions, visible),
        changes,
        AccountPages(actions, visible),
        PolicyEditor(actions, decisions),
        PeoplePages(actions),
        DirectoryChanges(actions, directories),
        ApplicationPages(directories, repositories.provider, signing_keys, repositories.audit),
        ColourPages(directories, repositories.directories, repositories.audit),
        ImportPages(directories, repositories.imports, uploads, repositories.audit),
        DirectoryPages(directories),
        OperationPages(repositories.audit, auditing, repositories.operations),
        ExplorerPages(actions, visible, routes, decisions),
        SignaturePages(actions, keys),
        OwnPage(bus),
    )
    known = [page for section in sections for page in section.pages]
    sign_in = SignInPages(sessions, sub_users, addresses)
    return ConsoleRouter(sessions, sign_in, known, metrics, require_tls=require_tls)
