"""Deskhand: a browser without a window, for tests of the desk: it keeps cookies, follows nothing, and sends forms."""

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

FORM = "application/x-www-form-urlencoded"


@dataclass
class Deskhand:
    """``csrf`` is what the last page with a form had in it."""

    app: ASGIApp
    url: str = "http://monitor.example"
    agent: str = "Firefox"
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, b"", headers)

    def post(self, path: str, headers: dict[str, str] | None = None, /, **fields: str) -> httpx.Response:
        """With the secret of the last page, unless ``csrf`` is given."""
        body = urlencode({"csrf": self.csrf} | fields).encode()
        return self.ask("POST", path, body, {"content-type": FORM} | (headers or {}))

    def login(self, secret: str) -> httpx.Response:
        answer = self.post("/desk/login", csrf="", secret=secret)
        if answer.status_code == 303:
            self.get("/desk")
        return answer

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        answer = asyncio.run(self._ask(method, path, body, headers))
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.csrf = found[1]
        return answer

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        sent = {"user-agent": self.agent} | headers
        if self.cookies:
            sent.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            return await client.request(method, path, headers=sent, content=body)
