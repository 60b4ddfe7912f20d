"""Which layer of Rolecall a stack of frames is in, by the files of its frames.

The innermost frame whose file belongs to a layer decides, so a library is its caller's: JSON that a dialect reads is
the dialect's, a driver's code the store's or the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence

Frame = tuple[str, str]
"""A file, and the qualified name of a function in it."""

LAYERS = (
    "HTTP", "dialect", "signature", "admission", "contract", "permission", "verb", "domain", "journal", "store",
    "engine", "log", "metrics", "pipeline", "exchanges", "loop",
)  # fmt: skip
"""`exchanges`: callbacks of connections, of which no frame tells whether they are the store's or an engine's. `loop`:
the event loop, tasks and the rest."""

_OF_CALLER = (
    "values.py",
    "ambient.py",
    "domain/secrets/",
    "domain/access/keys.py",
    "exchanges/",
    "domain/reasons.py",
)
"""Files of Rolecall that are their callers'."""

_OURS = (
    ("domain/access/rates.py", "admission"),
    ("domain/access/", "signature"),
    ("domain/operations/", "journal"),
    ("domain/policy/", "permission"),
    ("domain/", "domain"),
    ("contracts/permission.py", "permission"),
    ("contracts/", "contract"),
    ("admission.py", "admission"),
    ("rate_store.py", "admission"),
    ("intake.py", "HTTP"),
    ("server.py", "HTTP"),
    ("connections.py", "HTTP"),
    ("listeners.py", "HTTP"),
    ("proxies.py", "HTTP"),
    ("response_headers.py", "HTTP"),
    ("dialects/", "dialect"),
    ("signing/", "signature"),
    ("verbs/", "verb"),
    ("store/", "store"),
    ("engines/", "engine"),
    ("metrics.py", "metrics"),
    ("calls.py", "pipeline"),
    ("pipeline.py", "pipeline"),
)
"""Files and directories of Rolecall; the first that fits decides."""

_LIBRARIES = {
    "uvicorn": "HTTP",
    "httptools": "HTTP",
    "limits": "admission",
    "asyncmy": "engine",
    "structlog": "log",
    "prometheus_client": "metrics",
}

_LEFT = {"psycopg": "exchanges"}
"""Libraries that decide where no frame further out does; so do `exchanges/` of ours."""


def layer_of(stack: Sequence[Frame]) -> str:
    """`stack` from the innermost frame outwards."""
    left = ""
    for file, _ in stack:
        ours = file.rpartition("/rolecall/")[2] if "/rolecall/" in file else ""
        if ours.startswith("exchanges/"):
            left = "exchanges"
        if ours:
            found = "" if ours.startswith(_OF_CALLER) else _fitting(ours)
        else:
            package = _package(file)
            found = _LIBRARIES.get(package, "")
            left = left or _LEFT.get(package, "")
        if found:
            return found
    return left or "loop"


def place_of(stack: Sequence[Frame]) -> str:
    """The innermost frame of Rolecall, and the function of a library that it has called, if any."""
    for number, (file, function) in enumerate(stack):
        if "/rolecall/" in file:
            ours = f"{file.rpartition('/rolecall/')[2]} {function}"
            return ours if number == 0 else f"{ours} > {stack[number - 1][1]}"
    return stack[0][1] if stack else ""


def _fitting(ours: str) -> str:
    return next((layer for place, layer in _OURS if ours.startswith(place)), "")


def _package(file: str) -> str:
    """The package of a library's file, or `logging` and the like of Python's own."""
    if "/site-packages/" in file:
        return file.rpartition("/site-packages/")[2].split("/")[0].removesuffix(".py")
    return "structlog" if "/logging/" in file else ""
