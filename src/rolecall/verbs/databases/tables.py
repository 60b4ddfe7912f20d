"""What Database v1.0 answers from tables: versions, the one flavor, the one datastore.

Shapes: Trove 26.0.0, trove/versions.py, trove/flavor/views.py and trove/datastore/views.py; versions
also the Rackspace Cloud Databases Developer Guide v1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rolecall.contracts.openstack.databases import parameters
from rolecall.contracts.openstack.places import database_root, database_url
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked
from rolecall.verbs import Answer

DATASTORE: Final = "mysql"
_DATASTORE_NAMES: Final = (DATASTORE, "mariadb")
"""The family goes by the first, whichever of the two a server is."""

VOLUME_SIZE: Final = 1
"""Gigabytes that every instance is said to have: the field must be there, and no server tells it."""

FLAVOR: Mapping[str, object] = {
    "id": 1,
    "str_id": "1",
    "name": "local",
    "ram": 512,
    "vcpus": 1,
    "disk": 0,
    "ephemeral": 0,
}
_DATASTORE_ID = "a00000a0-00a0-0a00-00a0-000a000000aa"
_VERSION_ID = "b00000b0-00b0-0b00-00b0-000b000000bb"
_VERSION = "default"


def links(tenant: str, base: str, path: str) -> list[Answer]:
    return [{"rel": "self", "href": f"{tenant}/{path}"}, {"rel": "bookmark", "href": f"{base}/{path}"}]


def _links(checked: Checked[object], path: str) -> list[Answer]:
    request = checked.call.envelope.request
    return links(database_url(request, checked.caller.owner_number), database_root(request), path)


def _version_document(checked: Checked[object]) -> Answer:
    return {
        "id": "v1.0",
        "status": "CURRENT",
        "updated": "2012-08-01T00:00:00Z",
        "links": [{"rel": "self", "href": f"{database_root(checked.call.envelope.request)}/v1.0/"}],
    }


def database_versions(checked: Checked[object]) -> Answer:
    return {"versions": [_version_document(checked)]}


def database_version(checked: Checked[object]) -> Answer:
    return {"version": _version_document(checked)}


def flavors(checked: Checked[object]) -> Answer:
    return {"flavors": [_flavor(checked)]}


def flavor(checked: Checked[parameters.ShowFlavor]) -> Answer:
    _require_known("flavor", checked.params.flavor, str(FLAVOR["str_id"]))
    return {"flavor": _flavor(checked)}


def _flavor(checked: Checked[object]) -> Answer:
    return {**FLAVOR, "links": _links(checked, f"flavors/{FLAVOR['str_id']}")}


def datastores(checked: Checked[object]) -> Answer:
    return {"datastores": [_datastore(checked)]}


def datastore(checked: Checked[parameters.ShowDatastore]) -> Answer:
    _require_known("datastore", checked.params.datastore, _DATASTORE_ID, *_DATASTORE_NAMES)
    return {"datastore": _datastore(checked)}


def datastore_versions(checked: Checked[parameters.ListDatastoreVersions]) -> Answer:
    _require_known("datastore", checked.params.datastore, _DATASTORE_ID, *_DATASTORE_NAMES)
    return {"versions": [_datastore_version(checked)]}


def datastore_version(checked: Checked[parameters.ShowDatastoreVersion]) -> Answer:
    _require_known("datastore", checked.params.datastore, _DATASTORE_ID, *_DATASTORE_NAMES)
    _require_known("version", checked.params.version, _VERSION_ID, _VERSION, reason=Reason.VERSION_UNOFFERED)
    return {"version": _datastore_version(checked)}


def _datastore(checked: Checked[object]) -> Answer:
    return {
        "id": _DATASTORE_ID,
        "name": DATASTORE,
        "default_version": _VERSION_ID,
        "versions": [_datastore_version(checked)],
        "links": _links(checked, f"datastores/{_DATASTORE_ID}"),
    }


def _datastore_version(checked: Checked[object]) -> Answer:
    return {
        "id": _VERSION_ID,
        "name": _VERSION,
        "version": _VERSION,
        "links": _links(checked, f"datastores/{_DATASTORE_ID}/versions/{_VERSION_ID}"),
    }


def wanted_version(asked: parameters.Datastore) -> str:
    """The version of a new instance's datastore, as the server will say it; empty for the one there is.

    OBJECT_MISSING for a datastore that is not offered; which versions are, the provisioner knows.
    """
    if asked.type is not None:
        _require_known("datastore", asked.type, *_DATASTORE_NAMES, _DATASTORE_ID)
    version = asked.version or ""
    return "" if version in (_VERSION, _VERSION_ID) else version


def _require_known(field: str, value: str, *known: str, reason: Reason = Reason.OBJECT_MISSING) -> None:
    if value not in known:
        raise Refused(reason, field, facts={"value": value})
