"""Pull: brings series of live sources into the store, piece by piece.

A piece is stored, then remembered.  A stopped run resumes where it was, each place at its own point, and
pieces older than their source's last corrections are not requested again.

What publishers answer is read in a confined process, since an answer may be anyone's; it names the addresses, and this
process fetches them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from fanous.errors import FanousError, Rejected
from fanous.model.claim import Claim
from fanous.model.instant import DAY, HOUR
from fanous.model.series import SourceSeries
from fanous.pipeline.detect import detect_all
from fanous.pipeline.reader import Send, asking
from fanous.pipeline.series import put_claims, put_series
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.publishers import LIVE_SOURCES
from fanous.sources.signals.live import LiveSource
from fanous.store.protocol import Store
from fanous.store.series import Pulled

FAILURES_IN_A_ROW = 3
"""After this many failures in a row, only places not yet tried are requested.  A source that has answered
nothing so far is left alone until the next time."""

FIRST_DAYS = 28
"""Days to fetch for a place that was never pulled: what a baseline of weeks needs."""
OVERLAP = 3 * HOUR
"""Seconds before the last pull that are fetched again: sources correct their newest values."""


@dataclass(slots=True)
class Pull:
    """The result of a pull.

    Attributes:
        mirror: host that was asked instead of the publisher; empty = the publisher.
        pieces: documents that were fetched and stored.
        skipped: documents that were already stored in final form.
        values: bins in these documents; ``new``: of these, new or changed ones.
        claims: new claims by the source itself about outages.
        rejects: (piece, number in it, reason).
        failures: (piece, reason): documents that could not be fetched or read.
    """

    source: str
    country: str
    mirror: str = ""
    pieces: int = 0
    skipped: int = 0
    values: int = 0
    new: int = 0
    claims: int = 0
    rejects: list[tuple[str, int, str]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)


def newest(source: str, now: float, days: int = 0) -> tuple[int, int]:
    """The default window: the last ``FIRST_DAYS``, or this many days, of which each place is asked for what it lacks
    (``fetch``, ``onwards``).

    It ends at a multiple of the source's own interval, so that no request is repeated within one.
    """
    every = LIVE_SOURCES[source].every
    until = int(now) // every * every
    return until - (days or FIRST_DAYS) * DAY, until


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result for one piece, before it is stored.

    Attributes:
        parsed: ``None`` = it was not requested, or could not be fetched or read.
        why: why not; empty = it is already stored in final form.
        at: unix seconds of the request.
    """

    piece: Piece
    parsed: Parsed | None
    why: str
    at: float


def pull(
    store: Store,
    source: str,
    ask: Query,
    get: Get,
    now: Callable[[], float],
    on_piece: Callable[[Piece, Pull], None] | None = None,
    *,
    onwards: bool = False,
    mirror: str = "",
) -> Pull:
    """Fetch a window of a source into the store, and detect on it.

    A failure of one piece is reported and does not stop the others.

    Args:
        now: unix seconds, UTC.
        onwards: see ``fetch``.
        mirror: see ``Pull``.

    Raises:
        FanousError: no such source, or the list of places cannot be fetched.
    """
    done = Pull(source, ask.country, mirror)
    try:
        for one in fetch(source, ask, get, now, store.facts.pulled(source, ask.country), onwards=onwards):
            keep(store, one, done)
            if on_piece is not None and (one.parsed is not None or one.why):
                on_piece(one.piece, done)
    finally:
        detect_all(store)
    return done


def fetch(
    source: str,
    ask: Query,
    get: Get,
    now: Callable[[], float],
    known: Sequence[Pulled],
    *,
    onwards: bool = False,
) -> Iterator[Fetched]:
    """Fetch piece by piece; after some failures in a row the source is left alone.

    Args:
        known: pieces that are in the store.
        onwards: request each place from where it was left, instead of the whole window.

    Raises:
        FanousError: unknown source, or the list of places cannot be fetched.
    """
    if source not in LIVE_SOURCES:
        raise FanousError(f"unknown live source {source!r}: use one of {', '.join(LIVE_SOURCES)}")
    requests: list[float] = []

    def timed(url: str) -> bytes:
        requests.append(now())
        return get(url)

    names = source, ask, tuple(known), onwards
    for answer in asking(
        PieceAnswer, read_pieces, timed, *names, about=f"the answers of {source}", wanted=str
    ):
        parsed = Parsed(*answer[3:]) if answer.is_read else None
        yield Fetched(answer.piece, parsed, answer.why, requests[0] if requests else now())
        requests.clear()


def keep(store: Store, fetched: Fetched, done: Pull) -> None:
    """Store one piece, then remember it; detects nothing.

    A window for which a source of series has none is not remembered: otherwise a publisher's bad hour would leave a
    gap.
    """
    piece, parsed = fetched.piece, fetched.parsed
    if parsed is None:
        if fetched.why:
            done.failures.append((piece.name, fetched.why))
        else:
            done.skipped += 1
        return
    if done.mirror:
        store.facts.put_mirrors(done.source, done.country, [done.mirror], piece.since, piece.until)
    written = put_series(store, parsed.series)
    done.claims += put_claims(store, parsed.claims)
    if parsed.series or parsed.is_sound or LIVE_SOURCES[done.source].may_be_empty:
        row = Pulled(piece.name, piece.since, piece.until, fetched.at)
        store.facts.put_pulled(done.source, done.country, [row])
    done.pieces += 1
    done.values += sum(len(levels) for levels in parsed.series)
    done.new += sum(int(which.sum()) for which in written)
    done.rejects += [(piece.name, number, why) for number, why in parsed.rejects]


def due(store: Store, source: str, country: str, every: float, now: float) -> bool:
    """Is it time to pull again?  For a loop: ``every`` seconds after the last pull of any piece."""
    last = max((one.pulled_at for one in store.facts.pulled(source, country)), default=None)
    return last is None or now >= last + every


# --- in the confined process --------------------------------------------------------------------------------


class PieceAnswer(NamedTuple):
    """``Fetched``, as one process can send it to another."""

    piece: Piece
    why: str
    is_read: bool = False
    series: tuple[SourceSeries, ...] = ()
    rejects: tuple[tuple[int, str], ...] = ()
    claims: tuple[Claim, ...] = ()
    is_sound: bool = False


def read_pieces(
    get: Get, send: Send[PieceAnswer], source: str, ask: Query, known: Sequence[Pulled], onwards: bool
) -> None:
    """See ``fetch``."""
    pulled = {(one.piece, one.since, one.until): one.pulled_at for one in known}
    patience = _Patience()
    pieces = _onwards(source, ask, get, known) if onwards else LIVE_SOURCES[source].pieces(ask, get)
    try:
        for piece in pieces:
            pulled_at = pulled.get((piece.name, piece.since, piece.until))
            if pulled_at is not None and pulled_at > piece.until + LIVE_SOURCES[source].settles:
                send(PieceAnswer(piece, ""))
            elif patience.has(piece.name):
                answer, passing = _answered(source, ask, get, piece)
                patience.saw(piece.name, answer.is_read, passing)
                send(answer)
            if patience.is_over:
                return
    except Rejected as reason:
        raise FanousError(f"{source}: {reason}") from None


def _answered(source: str, ask: Query, get: Get, piece: Piece) -> tuple[PieceAnswer, bool]:
    """What came for a piece, and whether its failure may be temporary."""
    live = LIVE_SOURCES[source]
    try:
        parsed = live.parse(document_of(live, get, piece), ask.country, piece.name)
    except Rejected as reason:
        return PieceAnswer(piece, str(reason)), False
    except FanousError as reason:
        return PieceAnswer(piece, str(reason)), not reason.permanent
    if parsed.is_unread:
        return PieceAnswer(piece, f"nothing in it can be read: {parsed.rejects[0][1]}"), False
    return PieceAnswer(piece, "", True, parsed.series, parsed.rejects, parsed.claims, parsed.is_sound), False


def document_of(live: LiveSource, get: Get, piece: Piece) -> bytes:
    """The answer at the piece's address, or an array of the answers at all its addresses (``Piece.also``).

    Raises:
        FanousError, Rejected: one of them cannot be fetched, or is not a document.
    """
    if not piece.also:
        return answer_of(live, get, piece.url)
    answers = (answer_of(live, get, url) for url in (piece.url, *piece.also))
    return b",".join((f"[[{piece.since},{piece.until}]".encode(), *answers)) + b"]"


def answer_of(live: LiveSource, get: Get, url: str) -> bytes:
    """The document at ``url``, with all its pages.

    Raises:
        FanousError, Rejected: one of them cannot be fetched, or is not a document.
    """
    pages = [get(url)]
    while (following := live.next_page(url, pages[-1])) is not None:
        url = following
        pages.append(get(url))
    return live.joined(pages)


@dataclass(slots=True)
class _Patience:
    """Decides which places to go on requesting: failing ones must not hold up those after them."""

    tried: set[str] = field(default_factory=set)
    in_a_row: int = 0
    passing: int = 0
    answered: bool = False

    def has(self, name: str) -> bool:
        return self.in_a_row < FAILURES_IN_A_ROW or name not in self.tried

    def saw(self, name: str, answered: bool, passing: bool) -> None:
        self.tried.add(name)
        self.answered |= answered
        self.in_a_row = 0 if answered else self.in_a_row + 1
        self.passing = self.passing + 1 if passing else 0

    @property
    def is_over(self) -> bool:
        return self.passing >= FAILURES_IN_A_ROW and not self.answered


def _onwards(source: str, ask: Query, get: Get, known: Sequence[Pulled]) -> Iterator[Piece]:
    """The pieces of each place since its own latest, starting with those that lack least.

    Otherwise a network added later, or a region that failed while the country did not, would only be asked
    for what the country lacks, and would keep a gap.
    """
    live, get = LIVE_SOURCES[source], cache(get)  # the list of places is requested once
    overlap = max(OVERLAP, 3 * LIVE_SOURCES[source].every)
    until = {one.piece: int(one.until) for one in sorted(known, key=lambda one: one.until)}
    begins = {
        name: max(ask.since, min(until.get(name, 0), ask.until) - overlap)
        for name in {piece.name for piece in live.pieces(ask, get)}
    }
    for since in sorted(set(begins.values()), reverse=True):
        yield from (p for p in live.pieces(replace(ask, since=since), get) if begins.get(p.name) == since)
