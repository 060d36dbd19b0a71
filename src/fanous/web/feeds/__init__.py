"""Feeds: incidents for programs that look again and again.  One module a format; its routes stand in
``FEEDS``, and each entry has an id that never changes and the time of the revision that it shows."""

from starlette.routing import Route

from fanous.web.answers import Answers
from fanous.web.feeds.atom import atom_feed


def feed_routes(answers: Answers) -> list[Route]:
    return [Route("/feed.atom", answers.of(atom_feed))]
