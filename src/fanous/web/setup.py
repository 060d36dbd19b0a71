"""Setup: the page that a new monitor shows before it has a configuration.

It is served only to this machine, and the user must type the code that ``fanous run`` printed: another
user of the machine, or a page in the browser that finds the port, cannot set up someone else's monitor.  It writes
the same files as ``fanous init``, once, and then the monitor starts.
"""

import asyncio
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import choice

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous.base.files import make_folder
from fanous.collector.server import serve, server_config
from fanous.config import Address, WrongKey, check_web_address, data_folder
from fanous.errors import FanousError
from fanous.pipeline.configure import MOST_KEPT_DAYS, NewMonitor, kept_days, offered, terms_of, write
from fanous.publish.signer import KEY_FILE, ensure_key
from fanous.sources.connector import Source
from fanous.web.answers import HTML, Site, visit_of
from fanous.web.application import SecurityHeaders
from fanous.web.form import Refusal, form_of, is_from_here, words
from fanous.web.settings import hashed, is_same
from fanous.web.templates import rendered, static
from fanous.wording.language import Language
from fanous.wording.names import countries_named

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters that are not mistaken for one another when typed from a screen."""

CODE_LENGTH = 10
"""Of 31 letters: 8e14 codes; ``MOST_TRIES`` may be tried."""

MOST_TRIES = 20
"""Most wrong codes; then the page stays closed until ``fanous run`` is restarted."""

DAYS = 60
"""Days of OONI's measurements to fetch first, as for ``fanous init``."""

LISTEN = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}")
"""Addresses that can be written to the file unchanged."""

OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def new_code() -> str:
    return "".join(choice(LETTERS) for _ in range(CODE_LENGTH))


class SetUp:
    """The page that writes the configuration of a new monitor, once.

    Args:
        path: of the configuration to write.

    Attributes:
        done: set when both files are written.
    """

    def __init__(self, path: Path, code: str, listen: str) -> None:
        self._path, self._code, self._listen = path, code, listen
        self._tries = 0
        self.done = asyncio.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.show, methods=["GET"]),
                Route("/", self.take, methods=["POST"]),
                Route("/static/{digest}/{name}", static),
            ],
            middleware=[Middleware(SecurityHeaders, secure=False, all_desk=True)],
        )

    async def show(self, request: Request) -> Response:
        """Answers ``GET /``."""
        _check_own(request)
        return self._page(request, {})

    async def take(self, request: Request) -> Response:
        """Answers ``POST /``."""
        _check_own(request)
        if not is_from_here(request, ""):
            raise HTTPException(403)
        if self.done.is_set():
            return self._page(request, {})
        if self._tries >= MOST_TRIES:
            return self._page(request, {}, Refusal("locked", command="fanous run"), 403)
        form: Mapping[str, str] = {}
        try:
            form = await form_of(request)
            if not is_same(form.get("code", "").lower().replace("-", "").replace(" ", ""), self._code):
                self._tries += 1
                raise Refusal("code", command="fanous run")
            chosen = new_monitor(form)
            await asyncio.to_thread(_write, chosen, self._path)
        except FanousError as error:
            return self._page(request, form, error, 422)
        self._listen = chosen.listen
        self.done.set()
        return self._page(request, {})

    def _page(
        self, request: Request, form: Mapping[str, str], wrong: FanousError | None = None, status: int = 200
    ) -> Response:
        free, visit = free_bytes(), visit_of(request, Site())
        facts = {
            "session": None,
            "form": form,
            "wrong": wrong,
            "done": self.done.is_set(),
            "sources": [(one, list(_terms(one, visit.language)), asks) for one, asks in _asking()],
            "path": str(self._path.absolute()),
            "listen": form.get("listen") or self._listen,
            "days": form.get("days", str(DAYS)),
            "most_days": MOST_KEPT_DAYS,
            "free_gb": round(free / 1e9),
            "kept_days": kept_days(free, max(1, len(words(form, "countries")))),
        }
        text = rendered("desk/setup.html", visit, facts)
        return Response(text, status, headers={"Cache-Control": "no-store"}, media_type=HTML)


def _write(chosen: NewMonitor, path: Path) -> None:
    write(chosen, path)
    ensure_key(data_folder() / KEY_FILE)


def _check_own(request: Request) -> None:
    """Refuse requests under any other name, such as from a page whose name leads to this machine (DNS rebinding).

    Raises:
        HTTPException: 403.
    """
    name = re.sub(r":\d+$", "", request.headers.get("host", "").lower())
    if name not in OWN_NAMES:
        raise HTTPException(403)


def _asking() -> Iterator[tuple[Source, bool]]:
    """Each source, and whether its key is asked for next to it (for sources that share a key, next to the last)."""
    last = {source.token: source.name for source in offered()}
    for source in offered():
        yield source, bool(source.token) and last[source.token] == source.name


def _terms(source: Source, language: Language) -> Iterator[tuple[str, dict[str, str]]]:
    """What is accepted with a source, with names of licences in the reader's language."""
    for text, values in terms_of(source):
        yield text, {name: language.known(value) for name, value in values.items()}


def new_monitor(form: Mapping[str, str]) -> NewMonitor:
    """The choices made in the form.

    Raises:
        FanousError: something in it makes no sense.
    """
    countries = countries_named(form.get("countries", ""))
    if not countries:
        raise Refusal("countries")
    for name, code in countries.items():
        if not code:
            raise Refusal("named", given=name)
    listen, url = form.get("listen", ""), form.get("url", "")
    try:
        Address.from_toml(listen if LISTEN.fullmatch(listen) else "")
    except ValueError:
        raise Refusal("listen", given=listen or "-") from None
    try:
        if re.search(r'["\\\s]', url):
            raise WrongKey("url", "it has a space or a quote")
        check_web_address("url", url)
    except WrongKey:
        raise Refusal("link", given=url) from None
    if form.get("passphrase", "") != form.get("again", ""):
        raise Refusal("differ")
    kept = hashed(form["passphrase"]) if form.get("passphrase") else ""
    accepted = [one for one in offered() if form.get(f"accept_{one.name}")]
    keys = {one.token: form.get(f"key_{one.token}", "") for one in accepted if one.token}
    for one in accepted:
        if one.token and not keys[one.token]:
            raise Refusal("key", source=one.title)
    return NewMonitor(
        tuple(dict.fromkeys(countries.values())),
        tuple(one.name for one in accepted),
        listen,
        url,
        _days(form.get("days", str(DAYS))),
        free_bytes(),
        passphrase_hash=kept,
        keys=keys,
    )


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= MOST_KEPT_DAYS:
        raise Refusal("days", most=f"{MOST_KEPT_DAYS:,}")
    return int(text)


def free_bytes() -> int:
    """Free bytes on the disk where the store will be."""
    place = data_folder()
    make_folder(place)
    return shutil.disk_usage(place).free


async def serve_setup(
    listening: socket.socket, path: Path, code: str, listen: str, stop: asyncio.Event
) -> bool:
    """Serve until both files are written and the answer has been sent; returns whether they were written.

    Args:
        stop: ends it without writing.
    """
    page, ending = SetUp(path, code, listen), asyncio.Event()

    async def wait() -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (page.done, stop)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()
        ending.set()

    waiting = asyncio.ensure_future(wait())
    await serve(server_config(page.app()), listening, ending)
    await waiting
    return page.done.is_set()
