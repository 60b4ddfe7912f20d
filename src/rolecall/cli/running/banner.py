"""What `rolecall up` prints when it is ready: where it serves, and where to read on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def banner(ready: Mapping[str, Any], ready_file: Path, link: str) -> str:
    """The text to print. `ready` is the content of the ready file; `link` signs the owner in to the console."""
    lines = [
        ("Endpoint", ready["endpoint"]),
        ("Console", link),
        ("", "signs the owner in, once, within 15 minutes; `rolecall console` prints a new link"),
        ("Clients", 'eval "$(rolecall env)" sets the variables that they read; docs/clients.md'),
        ("Key, instances", f"{ready_file} (JSON)"),
    ]
    if "ca_file" in ready:
        lines.append(("Authority", f"{ready['ca_file']}, which clients must trust (TLS)"))
    if "openstack" not in ready:
        lines.append(("Not served", "Alibaba Cloud PetaData and OpenStack: this system has no MariaDB"))
    text = "\n".join(f"  {name:<15} {value}" for name, value in lines)
    return f"\nRolecall is ready.\n\n{text}\n"
