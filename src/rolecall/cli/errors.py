"""Errors of commands, and what the program prints of those that a user can fix."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what it was asked. The text says why, and where possible what to do; it holds no secret."""
