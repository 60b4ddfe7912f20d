"""Routes: which methods an endpoint takes at a path, and what answers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec

from rolecall.values import Reply, Request

_Given = ParamSpec("_Given")


@dataclass(frozen=True, slots=True)
class Route(Generic[_Given]):
    methods: tuple[str, ...]
    answer: Callable[_Given, Awaitable[Reply]]

    def takes(self, request: Request) -> bool:
        """HEAD is answered as GET is; the server leaves the body out."""
        return request.method in self.methods or (request.method == "HEAD" and "GET" in self.methods)
