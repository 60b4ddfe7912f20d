"""tccli, the command line of Tencent Cloud."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, Hole, Value, json_text
from rolecall.console.explorer.snippets.literals import shell_text


def snippet(call: DescribedCall) -> str:
    """The key is read from TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY."""
    region = [f"--region {shell_text(call.region)}"] if call.region else []
    options = [
        f"--endpoint {shell_text(call.endpoint)}",
        f"--version {shell_text(call.version)}",
        *region,
        *(f"--{name} {_word(value)}" for name, value in call.params.items()),
    ]
    return " \\\n  ".join((f"tccli {call.service} {call.action}", *options)) + "\n"


def _word(value: Value) -> str:
    if isinstance(value, Hole):
        return f'"${value.variable}"'
    if isinstance(value, bool):
        return str(value)
    return shell_text(json_text(value) if isinstance(value, list | dict) else str(value))
