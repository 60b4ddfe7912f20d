"""Logging: the program's structlog configuration, on standard error. Parameters and secrets are never logged."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import Processor


def set_up_logs(level: str, form: Literal["console", "json"]) -> None:
    """Log from `level` on, as JSON lines or for a terminal."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # With rich installed the default prints the local variables of every frame, and so callers' passwords.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library: their warnings go to the same stream.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )


def _json(event: Any, **options: Any) -> str:
    """A line in ASCII: what else a terminal may obey is escaped. Nearly all lines have nothing to escape."""
    try:
        line = msgspec.json.encode(event)
    except (ValueError, TypeError, OverflowError):  # what JSON cannot hold is shown by its `repr`
        line = b"\x7f"
    return line.decode() if line.isascii() and b"\x7f" not in line else json.dumps(event, **options)
