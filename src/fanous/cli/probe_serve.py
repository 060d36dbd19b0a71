"""Commands of a probe that goes on: ``fanous probe watch`` (rounds) and ``serve`` (Prometheus)."""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.orders import OrdersKey, heeded
from fanous.cli.probe_options import (
    Asn,
    CaFile,
    CapMB,
    Country,
    Helper,
    Inputs,
    Lists,
    Mobile,
    Out,
    SettingsFile,
    Yes,
    check_consent,
    country_of,
    measure,
    wanted_by,
)
from fanous.cli.upload import Collectors, Proxy, send, sent_line
from fanous.errors import FanousError
from fanous.model.event import Watch
from fanous.model.instant import to_iso
from fanous.probe.settings import probe_folder


def probe_watch(
    inputs: Inputs = None,
    lists: Lists = None,
    every: Annotated[float, typer.Option("--every", metavar="SECONDS", help="Between rounds.")] = 600.0,
    organisation: Annotated[
        bool, typer.Option("--organisation", help="This is an organisation's own line: down to 60 s.")
    ] = False,
    during: Annotated[
        Path | None,
        typer.Option("--during", help="Announced events (.ics): an organisation's line measures each 60 s."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=0, help="End after so many; 0 = go on.")] = 0,
    out: Out = None,
    helper: Helper = None,
    country: Country = "ZZ",
    asn: Asn = 0,
    mobile: Mobile = False,
    cap_mb: CapMB = None,
    collectors: Collectors = None,
    proxy: Proxy = None,
    orders_key: OrdersKey = None,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    no_health: Annotated[bool, typer.Option("--no-health", help="Do not look at the line first.")] = False,
    yes: Yes = False,
) -> None:
    """Measure again and again, with jitter: one line a round; consent is looked up before each.

    With --collector what was measured is sent after each round; what no collector can be reached for waits
    on the disk, above all what was seen while there was no network.
    """
    from random import Random

    from fanous.probe.cadence import cadence
    from fanous.probe.record import ProbeVantage
    from fanous.probe.rounds import check_interval, least_interval, watch
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.words import round_line

    check_interval(every, organisation=organisation)
    wanted = wanted_by(inputs or (), lists or ())
    settings = adjusted(
        load_settings(settings_file), mobile=mobile, cap_mb=cap_mb, helper=helper, ca_file=ca_file
    )
    settings = replace(settings, localise=False)  # by a person's word in a single run only
    vantage = ProbeVantage(country_of(country), asn, "mobile" if mobile else "")
    events = _watches(during, organisation=organisation)

    def interval() -> float:
        return cadence(every, time.time(), events, organisation=organisation)

    def one_round(_number: int) -> None:
        check_consent(yes, settings.cap_mb)  # withdrawing it stops a watch too
        began, cc = time.time(), vantage.country
        now_wanted = heeded(probe_folder(), collectors or (), orders_key, wanted, cc, asn, proxy)
        report = measure(
            settings,
            vantage,
            now_wanted,
            out,
            with_health=not no_health,
            quiet=True,
            to_spool=bool(collectors),
            chance=dice,
        )
        print(f"{to_iso(began)}  {round_line(report)}", flush=True)
        if collectors:
            print(f"{to_iso(time.time())}  {_sent(collectors, proxy)}", flush=True)

    dice = Random(settings.seed or None)
    watch(one_round, interval, least_interval(organisation=organisation), rounds=rounds)


def _watches(calendar: Path | None, *, organisation: bool) -> list[Watch]:
    """The events of a calendar, all of them in the probe's own country."""
    if calendar is None:
        return []
    from fanous.sources.ics import read_calendar

    if not organisation:
        print("a volunteer's line keeps its pace, whatever is announced", file=sys.stderr)
    events = read_calendar(calendar, lambda why: print(why, file=sys.stderr))
    return [Watch("", one.start, one.end, one.title) for one in events]


def _sent(collectors: list[str], proxy: str | None) -> str:
    """One line; that somebody else is sending just now does not end a watch."""
    try:
        return sent_line(send(probe_folder() / "spool", collectors, proxy))
    except FanousError as error:
        if error.permanent:
            raise
        return str(error)


def probe_serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="As blackbox_exporter's.")] = 9115,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    yes: Yes = False,
) -> None:
    """Answer /probe?target=&module= with Prometheus' probe_* metrics: http_2xx, tcp_connect, fanous."""
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.serve import serve
    from fanous.probe.settings import adjusted, load_settings

    settings = adjusted(load_settings(settings_file), ca_file=ca_file)
    check_consent(yes, settings.cap_mb)

    async def forever() -> None:
        server = await serve(SocketNetwork(), settings, host, port)
        bound = server.sockets[0].getsockname()[1]
        print(f"listening on http://{host}:{bound}/probe?target=&module=", file=sys.stderr, flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(forever())
