"""Bundles: the evidence of an incident as a download, packed once per revision.

Packing recomputes the incident in a temporary store. A process can have only one store open, so another process is
started for it.
"""

import asyncio
import multiprocessing
import tempfile
from collections import Counter, OrderedDict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.publish.evidence.manifest import KEY_FILE, signing_key
from fanous.publish.evidence.pack import Gathered, gather, pack
from fanous.store.protocol import Store
from fanous.web.answers import Answers
from fanous.web.limits import cost_of, too_many
from fanous.web.routes import Reply, visit_of

MEDIA = "application/vnd.fanous.evidence"
MOST_KEPT = 4
MOST_WANTED = 4
"""Bundles being packed or waiting; a reader waits a minute and a half at most, and gets 503 beyond that."""
MOST_RECORDS = 60_000
"""Most measurements of an incident that is packed for a reader, which takes two processors some 20 s. Larger
incidents are packed by ``fanous incidents bundle``, as the answer says."""


class Bundles:
    """The newest packed bundles; one is packed at a time."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._kept: OrderedDict[tuple[str, int], Reply] = OrderedDict()
        self._packing = asyncio.Lock()
        self._wanted: Counter[tuple[str, int]] = Counter()

    async def download(self, request: Request) -> Response:
        """Answers ``/PK/PK-2023-0042.fanous``."""
        visit = visit_of(request, self._answers.site)
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
        self._wanted[key] += 1
        try:
            async with self._packing:
                if key not in self._kept:
                    self._keep(key, await self._packed(label, visit.now))
                reply = self._kept[key]
        finally:
            self._wanted[key] -= 1
            self._wanted += Counter()  # drops counts of zero
        answer = reply.answer(request)
        answer.headers["Content-Disposition"] = f'attachment; filename="{label}.fanous"'
        return answer

    def _keep(self, key: tuple[str, int], reply: Reply) -> None:
        self._kept[key] = reply
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    async def _packed(self, label: str, now: float) -> Reply:
        key_file = self._answers.site.key or data_folder() / KEY_FILE
        try:
            gathered = await self._answers.ask(lambda store: _gathered(store, label))
            content = await asyncio.to_thread(_in_a_process, gathered, key_file, now)
        except FanousError as error:
            raise HTTPException(409, str(error)) from error
        return Reply.of(content, MEDIA)


def _revision(store: Store, label: str, country: str) -> int:
    """The number of its latest revision; 0 = there is no such incident in the country."""
    revisions = store.ledger.revisions(label)
    return revisions[-1].n if revisions and revisions[-1].incident.country == country else 0


def _gathered(store: Store, label: str) -> Gathered:
    incident = store.ledger.incident(label)
    if incident is not None and incident.evidence.measurements > MOST_RECORDS:
        raise FanousError(
            f"it rests on too many measurements to be packed here; use `fanous incidents bundle {label}`"
        )
    return gather(store, label)


def _in_a_process(gathered: Gathered, key_file: Path, now: float) -> bytes:
    """The bundle, packed and signed in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as one:
        return one.submit(packed, gathered, key_file, now).result()


def packed(gathered: Gathered, key_file: Path, now: float) -> bytes:
    """The bytes of the bundle."""
    with tempfile.TemporaryDirectory(prefix="fanous-bundle-") as folder:
        file = Path(folder) / "bundle.fanous"
        pack(gathered, file, signing_key(key_file), now)
        return file.read_bytes()
