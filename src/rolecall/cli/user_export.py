"""One run of `rolecall user export`."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import msgspec

from rolecall.cli.context import only_owner
from rolecall.cli.errors import CommandError
from rolecall.cli.opening import OpenStore
from rolecall.cli.private_files import new_private_file
from rolecall.cli.progress import bar
from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.directories.exporting import row_of
from rolecall.domain.directories.model import UserStore


class ExportRun:
    """Writes the users of the store `store` to `file`, which must not exist, and removes it if that fails."""

    def __init__(self, file: Path, store: str, *, with_hashes: bool, quiet: bool) -> None:
        self._file = file
        self._store = store
        self._with_hashes = with_hashes
        self._quiet = quiet

    async def run(self, opened: OpenStore) -> dict[str, object]:
        store = await self._found(opened)
        with new_private_file(self._file) as file:
            users = await self._write(opened, store, file)
        return {"store": store.id.hex, "users": users, "hashes": self._with_hashes, "file": str(self._file)}

    async def _found(self, opened: OpenStore) -> UserStore:
        """Also a store that is not active. `CommandError`."""
        owner = await only_owner(opened)
        for store in await opened.store.directories.stores(owner.id):
            if store.id.hex == self._store.replace("-", "").lower():
                return store
        raise CommandError(f"there is no user store `{self._store}`; `rolecall store list` shows them")

    async def _write(self, opened: OpenStore, store: UserStore, file: BinaryIO) -> int:
        written = 0
        with bar("exporting", store.users, quiet=self._quiet) as advance:
            async for page in opened.store.exports.pages(store.id):
                for view in page:
                    row = row_of(view, PROFILE_KEYS, with_hash=self._with_hashes)
                    file.write(msgspec.json.encode(row) + b"\n")
                written += len(page)
                advance(len(page))
        return written
