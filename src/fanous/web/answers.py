"""Answers: from a request to a reply, by way of the shelf and the store."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fanous.store.ask import Ask
from fanous.store.protocol import Store
from fanous.web.memory import Remembering
from fanous.web.page import Page
from fanous.web.reply import Reply
from fanous.web.shelf import Shelf
from fanous.web.site import Site
from fanous.web.templates import rendered
from fanous.web.visit import Visit, visit_of

Endpoint = Callable[[Request], Awaitable[Response]]
Later = Callable[[], Reply]
"""What is left to do without the store, and takes long: a picture."""

Maker = Callable[[Store, Visit], Reply | Later | None]
"""Reads the store, in the store's thread, and makes the reply; ``None`` = nothing is there."""

HTML = "text/html; charset=utf-8"


class Answers:
    """What all endpoints share."""

    def __init__(self, ask: Ask, site: Site) -> None:
        self.ask = ask
        self.site = site
        self._shelf = Shelf()
        self._remembering = Remembering()

    def forget(self) -> None:
        """Something changed: the next reply is made anew."""
        self._shelf.empty()
        self._remembering.forget()

    async def shelved(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """What was just made under this key, or made now."""
        return await self._shelf.get(key, make)

    def page(self, page: Page) -> Endpoint:
        """The endpoint of a page: facts are gathered in the store's thread, HTML is written here."""

        async def make(visit: Visit) -> Reply:
            facts = await self.ask(lambda store: page.gather(self._remembering.of(store), visit))
            if facts is None:
                raise HTTPException(404)
            # In a thread: readers of other pages do not wait while this one is written.
            return await asyncio.to_thread(lambda: Reply.of(rendered(page.template, visit, facts), HTML))

        return self._endpoint(make)

    def of(self, maker: Maker) -> Endpoint:
        """The endpoint of anything else that is made from the store."""

        async def make(visit: Visit) -> Reply:
            reply = await self.ask(lambda store: maker(self._remembering.of(store), visit))
            if reply is None:
                raise HTTPException(404)
            return reply if isinstance(reply, Reply) else await asyncio.to_thread(reply)

        return self._endpoint(make)

    def _endpoint(self, make: Callable[[Visit], Awaitable[Reply]]) -> Endpoint:
        async def answer(request: Request) -> Response:
            visit = visit_of(request, self.site)
            asked = tuple(sorted(visit.asked.items()))
            key = (visit.path, visit.base, visit.language.code, visit.edition.named, asked)
            reply = await self._shelf.get(key, lambda: make(visit))
            return reply.answer(request)

        return answer
