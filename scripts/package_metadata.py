"""The metadata of a package that depend on where the repository is published.

PROJECT_URL names that place, such as https://forge.example/rolecall; the release workflow sets it. With it a package
has the project's URLs, and the links of its readme lead there. Without it the readme is README.md as it stands.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Metadata(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        """Set the readme and the URLs of the project."""
        text = Path(self.root, "README.md").read_text("utf-8")
        place = os.environ.get("PROJECT_URL", "").rstrip("/")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_links_to(place, text)}
        metadata["urls"] = urls(place)


def urls(place: str) -> dict[str, str]:
    """The URLs of a project that a forge keeps at `place`."""
    if not place:
        return {}
    return {
        "Homepage": place,
        "Source": place,
        "Documentation": f"{place}/tree/main/docs",
        "Changelog": f"{place}/blob/main/CHANGELOG.md",
        "Issues": f"{place}/issues",
    }


def with_links_to(place: str, text: str) -> str:
    """Markdown whose relative links and pictures lead to files at `place`."""
    if not place:
        return text
    pictures = re.sub(r"(!\[[^\]]*\]\()(?!\w+://|#)", rf"\1{place}/raw/main/", text)
    return re.sub(r"((?<!!)\[[^\]]*\]\()(?!\w+://|#)", rf"\1{place}/blob/main/", pictures)
