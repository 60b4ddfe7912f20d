"""Rolecall in tests: a running one with its servers, and the pytest fixtures `rolecall` and `rolecall_server`.

`rolecall.testing.container` runs the same in a container.
"""

from rolecall.testing.interface import NotReady, Rolecall, Snapshot
from rolecall.testing.process import RolecallProcess, start

__all__ = ["NotReady", "Rolecall", "RolecallProcess", "Snapshot", "start"]
