"""``fanous pull``: fetches a public source's latest values, or those of a given time, into the store."""

import logging
import os
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain, repeat
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from fanous.cli.common import act, country_code, moment, network_number, print_document, reaching, say
from fanous.cli.options import ReadOptions, SinceOption, UntilOption, argument, command, option
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline
from fanous.model.instant import DAY, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fanous.pipeline.pull import Pull
    from fanous.pipeline.pull_ooni import PulledMeasurements, PullPlan, Wanted
    from fanous.pipeline.pulls import PullSeries
    from fanous.sources.publishers import SourceSettings

SHOWN = 10

T = TypeVar("T")

log = logging.getLogger("fanous.pull")


class PullOptions(ReadOptions):
    """Options of ``fanous pull``."""

    source: str = argument(..., "What to pull, one of the above.", metavar="SOURCE")
    country: str = option("", "Country: its code or name, such as PK; not needed with --uid.", metavar="CC")
    since: SinceOption = None
    until: UntilOption = None
    follow: bool = option(False, "Keep pulling at the source's own interval.")
    networks: list[int] | None = option(
        None, "Also pull this network; may be repeated.", "--network", parser=network_number, metavar="ASN"
    )
    regions: bool = option(False, "ioda: also pull the country's regions.")
    mirror: str = option("", "Fetch from this mirror instead of the publisher.", metavar="URL")
    table: Path | None = option(None, "ris: routing table (MRT) to start from.", metavar="FILE")
    collector: str = option("rrc00", "ris: collector that the table comes from.")
    tests: list[str] | None = option(None, "ooni: only this test; may be repeated.", "--test", metavar="TEST")
    uids: list[str] | None = option(
        None, "ooni: only this measurement; may be repeated.", "--uid", metavar="UID"
    )
    estimate: bool = option(False, "ooni: say how much would be fetched, and fetch nothing.")
    quick: bool = option(False, "ooni: a first answer over OONI's API: the newest rows, without controls.")


@command
def pull(options: PullOptions) -> None:
    """Fetch measurements or series from a public source into the store, and detect incidents.

    Without --since, fetches what is missing from the last 28 days for each place; of OONI's measurements, 60 days.
    --since and --until are times of measurement.  If stopped, it resumes where it left off.  Requests stay within a
    budget and respect the publisher's rate limits.  What publishers say about outages is stored as claims (see `fanous
    claims check`), never as evidence.

    Sources:
    {pulled}
    """
    from fanous.sources.publishers import LIVE_SOURCES, source_settings

    if options.source == "ooni" and options.uids:
        _pull_uids(options, options.uids)
        return
    if not options.country:
        raise typer.BadParameter("name the country, such as --country PK", param_hint="--country")
    code = country_code(options.country)
    if options.source == "ris":
        _follow_ris(options, code)
        return
    if options.source not in (*LIVE_SOURCES, "ooni"):
        raise typer.BadParameter(
            f"{options.source!r} is not one of {', '.join(LIVE_SOURCES)}, ooni, ris", param_hint="SOURCE"
        )
    if options.source != "ooni" and (options.tests or options.uids or options.estimate or options.quick):
        raise typer.BadParameter("--test, --uid, --estimate and --quick are for `fanous pull ooni`")
    if options.quick and (options.follow or options.estimate):
        raise typer.BadParameter("--quick asks once: it cannot be combined with --follow or --estimate")
    start, end = moment(options.since, "--since"), moment(options.until, "--until")
    if start is not None and start >= (end if end is not None else time.time()):
        raise typer.BadParameter("--since must be before --until, and in the past")
    if options.follow and options.as_json:
        raise typer.BadParameter("--json prints one document, so it cannot be combined with --follow")
    if options.follow:
        log_to_stderr()
    settings = source_settings(options.config)[options.source].with_more(
        options.networks or [], options.regions, options.mirror
    )
    if options.source == "ooni":
        if options.networks or options.regions:
            raise typer.BadParameter(
                "ooni has no --network or --regions: it fetches every network's measurements"
            )
        pull_ooni = _pull_quick if options.quick else _pull_ooni
        pull_ooni(options, code, settings, (start, end))
        return
    windows = chain([(start, end)], repeat((None, None)))
    with reaching(options) as reach:

        def once() -> "Pull":
            done = reach(_call(options.source, code, settings, next(windows)))
            print_document(_document(done)) if options.as_json else _show(done)
            return done

        done = _repeated(once, options.source, code, settings.every if options.follow else None)
    if done.failures and not done.pieces:
        raise FanousError(f"could not fetch any data from {options.source}", permanent=False)


def _repeated(once: "Callable[[], T]", source: str, country: str, every: float | None) -> "T":
    """The result of ``once``, repeated until stopped if there is an interval.

    Args:
        every: seconds between two pulls, after which a temporary failure is forgotten; ``None`` = pull once.
    """
    while True:
        try:
            done = once()
        except FanousError as error:
            if every is None or error.permanent:
                raise
            log.warning(logline("not_pulled", source=source, country=country, again_in=every, why=str(error)))
        else:
            if every is None:
                return done
        time.sleep(every)


def _call(
    source: str, country: str, settings: "SourceSettings", window: tuple[float | None, float | None]
) -> "PullSeries":
    """The call that pulls, according to the settings.

    Raises:
        FanousError: the key is missing.
    """
    from fanous.config import data_folder
    from fanous.pipeline.pull import newest
    from fanous.pipeline.pulls import PullSeries
    from fanous.sources.connector import Query

    first, last = newest(source, time.time(), settings.days)
    since = first if window[0] is None else int(window[0])
    until = last if window[1] is None else int(window[1])
    query = Query(country, since, until, settings.networks, settings.regions)
    cache = (data_folder() / "cache" / source).absolute()
    return PullSeries(source, query, _key(settings.token), settings.mirror, cache, window[0] is None)


def _pull_ooni(
    options: PullOptions, country: str, settings: "SourceSettings", window: tuple[float | None, float | None]
) -> None:
    from fanous.config import data_folder
    from fanous.pipeline.pull_ooni import first_wanted
    from fanous.pipeline.pulls import PlanMeasurements, PullMeasurements

    folder = (data_folder() / "cache" / "ooni" / country).absolute()
    with reaching(options) as reach:

        def wanted() -> "Wanted":
            first = replace(
                first_wanted(country, settings.days, time.time()), tests=tuple(options.tests or ())
            )
            since, until = window
            return replace(
                first,
                since=first.since if since is None else since,
                until=first.until if until is None else until,
            )

        def once() -> "PulledMeasurements":
            with _objects_progress(country, quiet=options.as_json) as (on_plan, on_objects):
                done = reach(
                    PullMeasurements(wanted(), settings.mirror, folder),
                    on_plan=on_plan,
                    on_objects=on_objects,
                )
            print_document(_pulled(done)) if options.as_json else _show_pulled(done)
            return done

        if options.estimate:
            planned = reach(PlanMeasurements(wanted(), settings.mirror))
            print_document(_planned(planned)) if options.as_json else _show_plan(country, planned)
            return
        done = _repeated(once, "ooni", country, settings.every if options.follow else None)
    if done.failures and not done.objects:
        raise FanousError("could not fetch any measurement from ooni", permanent=False)


def _pull_uids(options: PullOptions, uids: list[str]) -> None:
    """Pull single measurements over OONI's API."""
    from fanous.cli.ingest import show
    from fanous.pipeline.pulls import PullSingle
    from fanous.sources.publishers import source_settings

    mirror = options.mirror or source_settings(options.config)["ooni"].mirror
    tally = act(options, PullSingle(tuple(uids), mirror), begins=True)
    show(tally, options.as_json)
    if tally.rejected == tally.read > 0:
        raise typer.Exit(1)


def _pull_quick(
    options: PullOptions, country: str, settings: "SourceSettings", window: tuple[float | None, float | None]
) -> None:
    """Pull the newest rows over OONI's API."""
    from fanous.cli.ingest import show
    from fanous.pipeline.pull_ooni import QUICK_DAYS, Wanted
    from fanous.pipeline.pulls import PullNewest

    now = time.time()
    since, until = window
    wanted = Wanted(
        country,
        now - QUICK_DAYS * DAY if since is None else since,
        inf if until is None else until,
        tuple(options.tests or ()),
    )
    pulled = act(options, PullNewest(wanted, settings.mirror), begins=True)
    show(pulled.tally, options.as_json)
    if options.as_json:
        return
    if not pulled.back_to:
        say(f"OONI has no observations of {country} in that time (yet)")
    elif not pulled.is_whole:
        say(
            f"only the newest rows, back to {pulled.back_to} UTC; `fanous pull ooni` fetches the rest, with controls"
        )


_SHOWN_EVERY = 30.0
"""Seconds between two lines about a long pull if there is no terminal for a bar."""


@contextmanager
def _objects_progress(
    country: str, *, quiet: bool
) -> "Iterator[tuple[Callable[[PullPlan], None], Callable[[PulledMeasurements], None]]]":
    """A bar over the bytes of all objects with rate and time left; without a terminal, a line now and then."""
    from fanous.cli.ingest import bytes_bar

    began = said = time.monotonic()
    is_terminal = sys.stderr.isatty()
    with bytes_bar(is_shown=is_terminal) as bar:
        task = bar.add_task(f"ooni {country}", total=None)

        def on_plan(planned: "PullPlan") -> None:
            if not quiet:
                _show_plan(country, planned)
            bar.update(task, total=planned.size or None)

        def on_object(done: "PulledMeasurements") -> None:
            nonlocal said
            bar.update(task, completed=done.size)
            now = time.monotonic()
            if is_terminal or quiet or now - said < _SHOWN_EVERY:
                return
            said = now
            rate = done.size / max(now - began, 1e-9)
            seconds_left = (done.plan.size - done.size) / rate if rate else 0.0
            say(
                f"ooni {country}: {done.objects:,} of {len(done.plan.objects):,} objects, {_size(done.size)} of "
                f"{_size(done.plan.size)}, {_size(rate)}/s, {seconds_left / 60:.0f} minutes left; "
                f"{done.tally.stored:,} measurements stored",
                file=sys.stderr,
            )

        yield on_plan, on_object


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError("the last unit returns")


def _show_plan(country: str, planned: "PullPlan") -> None:
    late = f", {_size(planned.late_size)} of it for late uploads" if planned.late_size else ""
    had = f"; {planned.had:,} objects are here already" if planned.had else ""
    say(
        f"ooni {country}: {len(planned.objects):,} objects to fetch, {_size(planned.size)}{late}{had}",
        file=sys.stderr,
    )


def _show_pulled(done: "PulledMeasurements") -> None:
    from fanous.cli.ingest import show

    say(f"ooni {done.wanted.country}: fetched {done.objects:,} objects, {_size(done.size)}")
    show(done.tally, False)
    if done.tally.outside:
        say(f"left out {done.tally.outside:,} measured outside the wanted time", file=sys.stderr)
    for name, why in done.failures[:SHOWN]:
        say(f"failed {name}: {why}", file=sys.stderr)
    if len(done.failures) > SHOWN:
        say(f"... and {len(done.failures) - SHOWN:,} more (--json lists them)", file=sys.stderr)
    if done.missing:
        say("not all could be fetched: pull again, and only what is missing is fetched", file=sys.stderr)
    if done.controls:
        say(
            f"controls from {_countries(done.controls)}, since nothing showed whether it worked elsewhere: "
            f"{sum(pulled.tally.stored for pulled in done.controls):,} measurements, "
            f"{_size(sum(pulled.size for pulled in done.controls))}"
        )
    for name, why in (failure for pulled in done.controls for failure in pulled.failures):
        say(f"failed {name}: {why}", file=sys.stderr)
    if done.may_come_until is not None:
        say(
            f"measurements of this time may still be uploaded until {to_iso(done.may_come_until)}: pull again then",
            file=sys.stderr,
        )


def _countries(controls: "Sequence[PulledMeasurements]") -> str:
    return ", ".join(dict.fromkeys(pulled.wanted.country for pulled in controls))


def _planned(planned: "PullPlan") -> dict[str, object]:
    return {
        "objects": len(planned.objects),
        "bytes": planned.size,
        "bytes_for_late_uploads": planned.late_size,
        "had": planned.had,
        "failures": [{"piece": name, "why": why} for name, why in planned.failures],
    }


def _pulled(done: "PulledMeasurements") -> dict[str, object]:
    tally = done.tally
    return {
        "source": "ooni",
        "country": done.wanted.country,
        "since": to_iso(done.wanted.since),
        "until": None if done.wanted.until == inf else to_iso(done.wanted.until),
        "objects": done.objects,
        "had": done.plan.had,
        "bytes": done.size,
        "read": tally.read,
        "stored": tally.stored,
        "duplicate": tally.duplicate,
        "rejected": tally.rejected,
        "outside": tally.outside,
        "uploads_until": to_iso(done.uploads_until) if done.uploads_until else None,
        "may_come_until": to_iso(done.may_come_until) if done.may_come_until else None,
        "rejects": [{"file": r.file, "line": r.line, "why": r.why} for r in tally.rejects],
        "failures": [{"piece": name, "why": why} for name, why in done.failures],
        "controls": [_pulled(pulled) for pulled in done.controls],
    }


def _follow_ris(options: PullOptions, country: str) -> None:
    from fanous.base.confine import Grant
    from fanous.pipeline.follow import Change, changes, follow
    from fanous.pipeline.jobs import BringSeries
    from fanous.pipeline.reader import answers
    from fanous.sources.fetch import host_of
    from fanous.sources.signals.ris import ADDRESS

    table = options.table
    if table is None:
        raise typer.BadParameter(
            "ris needs --table: a bview file from the same collector, to know what was visible before"
        )
    log_to_stderr()
    stream = answers(
        Change,
        changes,
        *(country, table.absolute(), options.collector, options.mirror or ADDRESS),
        about=f"{table} and RIS Live",
        grant=Grant(reads=(table,), internet=True),
    )
    with reaching(options) as reach, closing(stream):
        follow(lambda series: reach(BringSeries(tuple(series), host_of(options.mirror))), stream)


def _key(variable: str) -> str:
    """The key from the environment variable that the source names; empty = it needs none."""
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise FanousError(f"this source needs a key: set the environment variable {variable}")
    return key


def _show(done: "Pull") -> None:
    say(
        f"{done.source} {done.country}: fetched {done.pieces:,}, already had {done.skipped:,}; "
        f"{done.values:,} values, {done.new:,} new or changed"
        + (f"; {done.claims:,} new claims (`fanous claims check`)" if done.claims else "")
    )
    for piece, why in done.failures[:SHOWN]:
        say(f"failed {piece}: {why}", file=sys.stderr)
    for piece, number, why in done.rejects[:SHOWN]:
        say(f"rejected {piece}:{number}: {why}", file=sys.stderr)
    rest = max(0, len(done.failures) - SHOWN) + max(0, len(done.rejects) - SHOWN)
    if rest:
        say(f"... and {rest:,} more (--json lists them)", file=sys.stderr)


def _document(done: "Pull") -> dict[str, object]:
    return {
        "source": done.source,
        "country": done.country,
        "fetched": done.pieces,
        "had": done.skipped,
        "values": done.values,
        "new": done.new,
        "claims": done.claims,
        "rejects": [{"piece": p, "number": n, "why": why} for p, n, why in done.rejects],
        "failures": [{"piece": p, "why": why} for p, why in done.failures],
    }
