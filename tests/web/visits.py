"""Visiting: a reader without a network, who asks the application itself."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from starlette.types import ASGIApp

from fanous.model.instant import from_iso
from fanous.web.answers import Site
from fanous.web.application import application
from tests.web.small_store import SmallStore

NOW = from_iso("2023-12-18T00:00Z")


@dataclass(frozen=True)
class Reader:
    """Asks one application again and again."""

    app: ASGIApp
    url: str = "http://monitor.example"

    def get(self, path: str, **headers: str) -> httpx.Response:
        """``if_none_match="..."`` becomes the header ``If-None-Match``."""
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return asyncio.run(self._ask(method, path, named))

    def post(self, path: str, document: Any, **headers: str) -> httpx.Response:
        """``document`` goes as JSON, and bytes as they are."""
        content = document if isinstance(document, bytes) else msgspec.json.encode(document)
        return asyncio.run(self._ask("POST", path, headers, content))

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], content: bytes = b""
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            return await client.request(method, path, headers=headers, content=content)


def reader(store: SmallStore, site: Site | None = None) -> Reader:
    site = site or Site(clock=lambda: NOW)
    return Reader(application(store.ask, site), site.url or "http://monitor.example")
