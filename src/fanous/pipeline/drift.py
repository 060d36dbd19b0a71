"""Drift: one small real question to each publisher, and in words what differs from the answers that its reader expects.

No request of ours may have reached some publishers when their readers were written (docs/limits.md): this tells the
first operator with the internet, and later any operator, whether a source still answers as it did.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY
from fanous.sources.connector import Piece, Query, Source
from fanous.sources.fetch import Polite, Waits
from fanous.sources.publishers import SOURCES, SourceSettings

PATIENCE = Waits(tries=1, stall=15.0, deadline=60.0)
"""One try: who asks wants to know how it is now."""

LATELY = 2 * DAY
"""Seconds before now at which the question ends: what a source publishes late is there by then (Tor's days)."""


class Reached(StrEnum):
    """What came of a question."""

    AS_EXPECTED = "as_expected"
    DIFFERS = "differs"
    UNREACHED = "unreached"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Checked:
    """One question and its answer.

    Attributes:
        about: what was asked, in the source's own words.
        differs: sentences, each about one thing; empty = as expected, or no answer.
        why: why there is no answer, or nothing could be read in it; empty = something was read.
        series, values, claims: what was read.
    """

    source: str
    about: str
    reached: Reached
    differs: tuple[str, ...] = ()
    why: str = ""
    series: int = 0
    values: int = 0
    claims: int = 0


def check_sources(
    settings: Mapping[str, SourceSettings],
    country: str,
    now: float,
    environment: Mapping[str, str] = os.environ,
    on_done: Callable[[Checked], None] = lambda _checked: None,
) -> list[Checked]:
    """Ask every source that is asked on the internet, in the order of the registry.

    Args:
        settings: by source; their mirrors are asked in place of the publishers.
        now: Unix seconds.
        on_done: called with each result as it comes.
    """
    found = []
    for source in SOURCES.values():
        if source.live is not None:
            for checked in _checked(source, settings[source.name], country, int(now), environment):
                on_done(checked)
                found.append(checked)
    return found


def _checked(
    source: Source, settings: SourceSettings, country: str, now: int, environment: Mapping[str, str]
) -> Iterator[Checked]:
    """One question of each kind that the source is asked, about the country alone."""
    key = environment.get(settings.token, "") if settings.token else ""
    if settings.token and not key:
        yield Checked(
            source.name,
            "",
            Reached.NOT_ASKED,
            why=f"it needs a key in the environment variable {settings.token}",
        )
        return
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with Polite(source, mirror=settings.mirror, waits=PATIENCE, headers=headers) as client:
        for piece in _questions(source, country, now):
            yield _answered(source, piece, country, client)


def _questions(source: Source, country: str, now: int) -> Iterator[Piece]:
    """The newest piece of each kind, where a source is asked in several ways."""
    assert source.live is not None
    until = (now - LATELY) // source.every * source.every
    newest = {
        piece.name: piece
        for piece in source.live.pieces(Query(country, until - DAY, until), _asks_for_nothing)
    }
    yield from newest.values()


def _asks_for_nothing(url: str) -> bytes:
    raise AssertionError(f"a question about a country alone needs no list of places: {url}")


def _answered(source: Source, piece: Piece, country: str, client: Polite) -> Checked:
    assert source.live is not None
    try:
        data = client.get(piece.url)
    except FanousError as error:
        return Checked(source.name, piece.name, Reached.UNREACHED, why=str(error))
    differs = tuple(source.differs(data)) if source.differs is not None else ()
    reached = Reached.DIFFERS if differs else Reached.AS_EXPECTED
    try:
        parsed = source.live.parse(data, country, piece.name)
    except Rejected as reason:
        return Checked(source.name, piece.name, Reached.DIFFERS, differs, str(reason))
    rejects = tuple(dict.fromkeys(why for _, why in parsed.rejects))[:5]
    return Checked(
        source.name,
        piece.name,
        Reached.DIFFERS if rejects else reached,
        (*differs, *rejects),
        series=len(parsed.series),
        values=sum(len(levels) for levels in parsed.series),
        claims=len(parsed.claims),
    )
