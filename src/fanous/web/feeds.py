"""Feeds: the addresses at which they are asked for."""

from collections.abc import Callable

from starlette.routing import Route

from fanous.publish.feeds import CAP_MEDIA as CAP
from fanous.publish.feeds import FORMATS, Feed, Format, cap, corrections_feed, feed_of
from fanous.store.protocol import Store
from fanous.web.answers import Answers, Maker
from fanous.web.pages.incident import incident_asked
from fanous.web.reply import Reply
from fanous.web.visit import Visit

PLACES = ("", "/{country:country}", "/{country:country}/{network:network}", "/target/{target}")
"""Each has a feed of its own below its address."""


def feed_routes(answers: Answers) -> list[Route]:
    listed = [(f"{place}/feed", _of_place) for place in PLACES]
    listed.append(("/corrections/feed", _of_corrections))
    routes = [
        Route(f"{path}.{ending}", answers.of(_maker(gather, form)))
        for path, gather in listed
        for ending, form in FORMATS.items()
    ]
    return [*routes, Route("/{country:country}/{id:incident}.cap", answers.of(_cap))]


def _of_place(store: Store, visit: Visit) -> Feed:
    """As the address says."""
    asked = visit.asked
    return feed_of(store, visit.edition, asked.get("country"), asked.get("network"), asked.get("target"))


def _of_corrections(store: Store, visit: Visit) -> Feed:
    return corrections_feed(store, visit.edition)


def _maker(gather: Callable[[Store, Visit], Feed], form: Format) -> Maker:
    def make(store: Store, visit: Visit) -> Reply:
        return Reply.of(form.write(gather(store, visit), visit.edition), form.media)

    return make


def _cap(store: Store, visit: Visit) -> Reply | None:
    incident = incident_asked(store, visit)
    return None if incident is None else Reply.of(cap(store, incident, visit.edition), CAP)
