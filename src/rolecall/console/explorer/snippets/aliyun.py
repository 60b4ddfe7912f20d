"""The aliyun command line."""

from __future__ import annotations

from rolecall.console.explorer.calls import DescribedCall, Hole, flat_text
from rolecall.console.explorer.snippets.literals import shell_text


def snippet(call: DescribedCall) -> str:
    """The key is read from ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET."""
    options = [
        f"--version {shell_text(call.version)} --method POST --force",
        f"--endpoint {shell_text(call.host)} {'--secure' if call.scheme == 'https' else '--insecure'}",
        *([f"--region {shell_text(call.region)}"] if call.region else []),
    ]
    for name, value in call.params.items():
        text = flat_text(value)
        word = f'"${text.variable}"' if isinstance(text, Hole) else shell_text(text)
        options.append(f"--{name} {word}")
    return " \\\n  ".join((f"aliyun {call.service} {call.action}", *options)) + "\n"
