"""``fanous pull``: fetches a public source's latest values, or those of a given time, into the store."""

import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    SinceOption,
    StoreOption,
    UntilOption,
    country_code,
    moment,
    network_number,
    open_named,
    print_document,
    say,
)
from fanous.errors import FanousError
from fanous.log import log_to_stderr, logline

if TYPE_CHECKING:
    from fanous.pipeline.pull import Pull
    from fanous.sources.publishers import SourceSettings
    from fanous.store.protocol import Store

SHOWN = 10

log = logging.getLogger("fanous.pull")


def pull(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="What to pull, one of the above.")],
    country: Annotated[str, typer.Option("--country", metavar="CC", help="Country code, such as PK.")],
    since: SinceOption = None,
    until: UntilOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep pulling at the source's own interval.")
    ] = False,
    networks: Annotated[
        list[int] | None,
        typer.Option(
            "--network", parser=network_number, metavar="ASN", help="Also pull this network; may be repeated."
        ),
    ] = None,
    regions: Annotated[
        bool, typer.Option("--regions", help="ioda: also pull the country's regions.")
    ] = False,
    mirror: Annotated[
        str, typer.Option("--mirror", metavar="URL", help="Fetch from this mirror instead of the publisher.")
    ] = "",
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="ris: routing table (MRT) to start from.")
    ] = None,
    collector: Annotated[
        str, typer.Option("--collector", help="ris: collector that the table comes from.")
    ] = "rrc00",
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch series from a public source into the store, and detect incidents.

    Without --since, fetches what is missing from the last 28 days for each place.  If stopped, it resumes
    where it left off.  Requests stay within a budget and respect the publisher's rate limits.  What publishers
    say about outages is stored as claims (see `fanous claims check`), never as evidence.

    Sources:
    {pulled}
    """
    from fanous.sources.publishers import LIVE_SOURCES, source_settings

    code = country_code(country)
    if source == "ris":
        _follow_ris(code, table, collector, mirror, store, config)
        return
    if source not in LIVE_SOURCES:
        raise typer.BadParameter(
            f"{source!r} is not one of {', '.join(LIVE_SOURCES)}, ris", param_hint="SOURCE"
        )
    start, end = moment(since, "--since"), moment(until, "--until")
    if start is not None and start >= (end if end is not None else time.time()):
        raise typer.BadParameter("--since must be before --until, and in the past")
    if follow and as_json:
        raise typer.BadParameter("--json prints one document, so it cannot be combined with --follow")
    if follow:
        log_to_stderr()
    settings = source_settings(config)[source].with_more(networks or [], regions, mirror)
    with open_named(store, config) as opened:
        while True:
            try:
                done = pull_once(opened, source, code, settings, (start, end))
            except FanousError as error:
                if not follow or error.permanent:
                    raise
                log.warning(
                    logline(
                        "not_pulled", source=source, country=code, again_in=settings.every, why=str(error)
                    )
                )
            else:
                print_document(_document(done)) if as_json else _show(done)
                if not follow:
                    break
            start = end = None
            time.sleep(settings.every)
    if done.failures and not done.pieces:
        raise FanousError(f"could not fetch any data from {source}", permanent=False)


def pull_once(
    store: "Store",
    source: str,
    country: str,
    settings: "SourceSettings",
    window: tuple[float | None, float | None] = (None, None),
) -> "Pull":
    """Pull once as the settings say; the monitor calls this at each interval.

    Raises:
        FanousError: the key is missing, or the list of places cannot be fetched.
    """
    from fanous.config import data_folder
    from fanous.pipeline.pull import newest
    from fanous.pipeline.pull import pull as pull_window
    from fanous.sources.connector import Query
    from fanous.sources.fetch import Polite
    from fanous.sources.publishers import SOURCES

    first, last = newest(source, time.time())
    since = first if window[0] is None else int(window[0])
    until = last if window[1] is None else int(window[1])
    ask = Query(country, since, until, settings.networks, settings.regions)
    key = _key(settings.token)
    headers = {"Authorization": f"Bearer {key}"} if key else None
    cache = data_folder() / "cache" / source
    with Polite(SOURCES[source], cache, mirror=settings.mirror, headers=headers) as client:
        return pull_window(store, source, ask, client.get, time.time, onwards=window[0] is None)


def _follow_ris(
    country: str, table: Path | None, collector: str, mirror: str, store: Path | None, config: Path | None
) -> None:
    from fanous.pipeline.pull import RoutingStream, follow, table_of
    from fanous.sources.signals.ris import ADDRESS, listen

    if table is None:
        raise typer.BadParameter(
            "ris needs --table: a bview file from the same collector, to know what was visible before"
        )
    log_to_stderr()
    stream = RoutingStream(table_of(table, country))
    with open_named(store, config) as opened:
        follow(opened, stream, lambda: listen(collector, mirror or ADDRESS))


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
