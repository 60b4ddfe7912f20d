"""Scopes: what an application may learn of a user (OpenID Connect Core 5.4)."""

from __future__ import annotations

import re

from rolecall.signin.refusals import OAuthRefused

SCOPES = ("openid", "profile", "email", "phone", "address", "groups", "offline_access")
_WELL_FORMED = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")


def granted(asked: str) -> str:
    """Those that are known, in our order; `openid` where none is asked for. Raises `OAuthRefused`.

    What is not known is left out, as OpenID Connect Core 3.1.2.1 wants it, unless nothing remains.
    """
    if not asked:
        return "openid"
    if not _WELL_FORMED.fullmatch(asked):
        raise OAuthRefused("invalid_scope", "scope is a list of words with single spaces between them")
    wanted = set(asked.split(" "))
    known = [scope for scope in SCOPES if scope in wanted]
    if not known:
        raise OAuthRefused("invalid_scope", f"none of the scopes is known; there are {' '.join(SCOPES)}")
    return " ".join(known)


def narrowed(asked: str, before: str) -> str:
    """What a refresh asks for, which may be less and never more. Raises `OAuthRefused`."""
    if not asked:
        return before
    wanted = granted(asked)
    if not set(asked.split(" ")) <= set(before.split(" ")):
        raise OAuthRefused("invalid_scope", "the scope is wider than the one that was granted")
    return wanted


def holds(scope: str, one: str) -> bool:
    return one in scope.split(" ")
