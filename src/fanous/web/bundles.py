"""Bundles: the evidence of an incident as a download, packed once per revision.

Packing reads records and recomputes the incident in a temporary store, in confined processes.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from markupsafe import escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from fanous.base.text import printable
from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.log import logline
from fanous.publish.evidence.pack import Gathered, gather, pack
from fanous.publish.signer import KEY_FILE, KeyMissing, signer_at
from fanous.store.cache import Cache
from fanous.store.protocol import Store
from fanous.web.answers import HTML, Answers, Reply, Visit, visit_of
from fanous.web.limits import cost_of, too_many
from fanous.web.templates import rendered
from fanous.wording.language import Language

MEDIA = "application/vnd.fanous.evidence"
MOST_BYTES = 32 << 20
"""Bytes of all bundles kept, together; most have less than a megabyte, the largest that are packed here some six."""
MOST_WANTED = 4
"""Bundles being packed or waiting; a reader waits a minute and a half at most, and gets 503 beyond that."""
MOST_RECORDS = 60_000
"""Most measurements of an incident that is packed for a reader, which takes two processors some 20 s. Larger
incidents are packed by ``fanous incidents bundle``, as the answer says."""

LOOK_SECONDS, TELL_SECONDS = 0.2, 5.0
"""Seconds between a bundle page's checks of progress, and between its signs of life."""

STEPS = (
    "Another bundle is packed first.",
    "The measurements are read, and what could identify a person is taken out.",
    "The incident is computed again from what is left, and the file is signed.",
)
"""The steps of packing, in order."""

NO_KEY = "This monitor has no key to sign bundles with at present; its operators find the reason in its log."

log = logging.getLogger("fanous.web")

MARK = "<!-- steps -->"
"""Place in a bundle's page for the steps as they are done."""


@dataclass(slots=True)
class Packing:
    """A requested bundle: how many readers wait for it, and which of ``STEPS`` it has reached."""

    readers: int = 0
    step: int = 0


class Bundles:
    """The newest packed bundles; one is packed at a time."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._kept: Cache[tuple[str, int], Reply] = Cache(MOST_BYTES, lambda reply: reply.size)
        self._one = asyncio.Lock()
        self._wanted: dict[tuple[str, int], Packing] = {}

    async def page(self, request: Request) -> Response:
        """Answers ``/PK/PK-2023-0042/evidence``: a page that grows while the bundle is packed, without a script."""
        visit = visit_of(request, self._answers.site)
        key = await self._key(request, visit)
        facts = {"id": key[0], "path": visit.path.removesuffix("/evidence"), "waits": False}
        if await self._answers.ask(lambda store: _waits(store, key[0])):
            page = await asyncio.to_thread(rendered, "evidence.html", visit, facts | {"waits": True})
            return HTMLResponse(page, headers={"Cache-Control": "no-store"})
        packing = asyncio.ensure_future(self._bundle(key, visit.now))  # goes on if the reader leaves
        packing.add_done_callback(lambda done: done.cancelled() or done.exception())
        page = await asyncio.to_thread(rendered, "evidence.html", visit, facts)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._told(page, key, packing, visit), media_type=HTML, headers=headers)

    async def _told(
        self, page: str, key: tuple[str, int], packing: "asyncio.Future[Reply]", visit: Visit
    ) -> AsyncIterator[str]:
        before, after = page.split(MARK)
        yield before
        language, said = visit.language, -1
        began = told = monotonic()
        while not packing.done():
            await asyncio.wait([packing], timeout=LOOK_SECONDS)
            step = self._wanted[key].step if key in self._wanted else said
            if step > said:
                said, told = step, monotonic()
                yield f"<li>{escape(language.say(STEPS[step]))}</li>\n"
            elif monotonic() - told > TELL_SECONDS:
                told = monotonic()
                so_far = language.count("{n} second so far", "{n} seconds so far", round(told - began))
                yield f"<li><small>{escape(so_far)}</small></li>\n"
        try:
            reply = packing.result()
        except HTTPException as error:
            yield f'<li class="wrong" lang="en" dir="ltr">{escape(printable(str(error.detail)))}</li>\n'
        else:
            size = escape(_size(len(reply.body), language))
            link = f'<a href="{escape(visit.path.removesuffix("/evidence"))}.fanous" download>'
            download = escape(language.say("Download"))
            yield f"<li><b>{link}{download}</a></b> {size}</li>\n"
        yield after

    async def download(self, request: Request) -> Response:
        """Answers ``/PK/PK-2023-0042.fanous``."""
        visit = visit_of(request, self._answers.site)
        key = await self._key(request, visit)
        answer = (await self._bundle(key, visit.now)).answer(request)
        answer.headers["Content-Disposition"] = f'attachment; filename="{key[0]}.fanous"'
        return answer

    async def _key(self, request: Request, visit: Visit) -> tuple[str, int]:
        """The incident and its latest revision, if the reader may cause the work.

        Raises:
            HTTPException: 404, there is none; 429 or 503, not now.
        """
        label = visit.asked["id"]
        revision = await self._answers.ask(
            lambda store: _revision(store.for_readers(), label, visit.asked["country"])
        )
        if not revision:
            raise HTTPException(404)
        key = label, revision
        if key not in self._kept and key not in self._wanted:
            self._answers.spend(request, cost_of(".fanous"))
            if len(self._wanted) >= MOST_WANTED:
                raise too_many(60, 503)
        return key

    async def _bundle(self, key: tuple[str, int], now: float) -> Reply:
        """Packed, or from the shelf."""
        packing = self._wanted.setdefault(key, Packing())
        packing.readers += 1
        try:
            async with self._one:
                reply = self._kept.get(key)
                if reply is None:
                    reply = await self._packed(key[0], now, packing)
                    self._kept.put(key, reply)
                return reply
        finally:
            packing.readers -= 1
            if not packing.readers:
                self._wanted.pop(key, None)

    async def _packed(self, label: str, now: float, packing: Packing) -> Reply:
        key_file = self._answers.site.key or data_folder() / KEY_FILE
        packing.step = 1
        try:
            _ = await asyncio.to_thread(lambda: signer_at(key_file).public)
        except KeyMissing as error:  # it names a file of this machine, which is not for readers
            log.error(logline("not_signed", why=str(error)))
            raise HTTPException(409, NO_KEY) from error
        try:
            gathered = await self._answers.ask(lambda store: _gathered(store.for_readers(), label))
            packing.step = 2
            return await asyncio.to_thread(lambda: Reply.of(_in_a_file(gathered, key_file, now), MEDIA))
        except FanousError as error:
            raise HTTPException(409, str(error)) from error


def _size(of: int, language: Language) -> str:
    if of < 100_000:
        return language.say("{size} kB", size=language.number(-(-of // 1000)))
    return language.say("{size} MB", size=language.number(of / 1e6, 1))


def _revision(store: Store, label: str, country: str) -> int:
    """The number of its latest revision; 0 = there is no such incident in the country."""
    revisions = store.ledger.revisions(label)
    return revisions[-1].n if revisions and revisions[-1].incident.country == country else 0


def _waits(store: Store, label: str) -> bool:
    """Does it still await review?  Then a bundle would say more than its page."""
    incident = store.ledger.incident(label)
    return incident is not None and bool(incident.held_by)


def _gathered(store: Store, label: str) -> Gathered:
    incident = store.ledger.incident(label)
    if incident is not None and incident.evidence.measurements > MOST_RECORDS:
        raise FanousError(
            f"it rests on too many measurements to be packed here; use `fanous incidents bundle {label}`"
        )
    return gather(store, label)


def _in_a_file(gathered: Gathered, key_file: Path, now: float) -> bytes:
    """The bytes of the bundle, without values that may not be passed on."""
    with tempfile.TemporaryDirectory(prefix="fanous-bundle-") as folder:
        file = Path(folder) / "bundle.fanous"
        pack(gathered, file, signer_at(key_file), now, public=True)
        return file.read_bytes()
