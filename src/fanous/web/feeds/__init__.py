"""Feeds: incidents for programs that look again and again.  ``entries`` says what is listed, one module a
format how; each entry has an id that never changes and the time of the revision that it shows."""

from collections.abc import Callable

from starlette.routing import Route

from fanous.store import Store
from fanous.web.answers import Answers, Maker
from fanous.web.feeds.atom import atom
from fanous.web.feeds.cap import cap
from fanous.web.feeds.entries import Feed, corrections_feed, feed_of
from fanous.web.feeds.jsonfeed import json_feed
from fanous.web.reply import Reply
from fanous.web.visit import Visit

FORMATS: dict[str, Callable[[Feed, Visit], Reply]] = {"atom": atom, "json": json_feed}

PLACES = ("", "/{country:country}", "/{country:country}/{network:network}", "/target/{target}")
"""Each has a feed of its own below its address."""


def feed_routes(answers: Answers) -> list[Route]:
    listed = [(f"{place}/feed", feed_of) for place in PLACES]
    listed.append(("/corrections/feed", corrections_feed))
    routes = [
        Route(f"{path}.{ending}", answers.of(_maker(gather, write)))
        for path, gather in listed
        for ending, write in FORMATS.items()
    ]
    return [*routes, Route("/{country:country}/{id:incident}.cap", answers.of(cap))]


def _maker(gather: Callable[[Store, Visit], Feed], write: Callable[[Feed, Visit], Reply]) -> Maker:
    def make(store: Store, visit: Visit) -> Reply:
        return write(gather(store, visit), visit)

    return make
