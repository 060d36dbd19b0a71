"""``fanous probe``: the commands ``run``, ``serve``, ``stream``, ``consent`` and ``list``.

``serve`` answers Prometheus as blackbox_exporter does; ``stream`` measures whether live video plays from
here, and at what resolution.  stdout carries the answer (with ``--json`` one document and nothing else),
stderr everything else.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    StoreOption,
    add_former,
    is_given,
    print_document,
    say,
)
from fanous.cli.orders import OrdersKey, OrdersRoot, heeded
from fanous.cli.probe_options import (
    Asn,
    CaFile,
    CapMB,
    Collectors,
    Country,
    Helper,
    Inputs,
    Lists,
    Mobile,
    Out,
    Proxy,
    SettingsFile,
    Yes,
    check_consent,
    check_consent_to_localise,
    country_of,
    measure,
    seconds_of,
    send,
    sent_line,
    spooled,
    wanted_by,
    withdrawn,
)
from fanous.cli.probe_via import Via, probe_via
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import to_iso
from fanous.probe.settings import probe_folder

if TYPE_CHECKING:
    from random import Random

    from fanous.probe.run import RunReport
    from fanous.probe.upload import Sent


def probe_serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65_535, help="Port to listen on; the default is blackbox_exporter's."
        ),
    ] = 9115,
    modules_file: Annotated[
        Path | None,
        typer.Option("--modules", metavar="FILE", help="More modules, in the format of blackbox.yml."),
    ] = None,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    yes: Yes = False,
) -> None:
    """Serve Prometheus' probe_* metrics at /probe?target=&module=; modules: http_2xx, tcp_connect, icmp, fanous."""
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.serve import BUILT_IN, read_modules, serve
    from fanous.probe.settings import adjusted, load_settings

    settings = adjusted(load_settings(settings_file), ca_file=ca_file)
    modules = read_modules(modules_file) if modules_file else BUILT_IN
    check_consent(yes, settings.cap_mb)

    async def forever() -> None:
        server = await serve(SocketNetwork(), settings, host, port, modules)
        bound = server.sockets[0].getsockname()[1]
        say(f"listening on http://{host}:{bound}/probe?target=&module=", file=sys.stderr, flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(forever())


def probe_stream(
    urls: Annotated[
        list[str],
        typer.Argument(metavar="URL...", help="An HLS (.m3u8) or DASH (.mpd) manifest, or a large file."),
    ],
    out: Out = None,
    country: Country = "ZZ",
    asn: Asn = 0,
    mobile: Mobile = False,
    cap_mb: CapMB = None,
    collectors: Collectors = None,
    proxy: Proxy = None,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    yes: Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch ten seconds of video as a player would, and report whether 240p, 480p or 720p would play.

    Each stream uses up to 4 MB of data.
    """
    from fanous.probe.allowance import day_meter
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.output import record_file
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.stream import stream_record, watchable
    from fanous.probe.trace import ProbeVantage

    settings = adjusted(load_settings(settings_file), mobile=mobile, cap_mb=cap_mb, ca_file=ca_file)
    vantage = ProbeVantage(country_of(country), asn, "mobile" if mobile else "")
    check_consent(yes, settings.cap_mb)
    folder, found = probe_folder(), []
    most = int(settings.cap_mb * 1e6)
    with day_meter(folder, most, time.time()) as meter, record_file(out) as to_file:
        write = spooled(folder / "spool", to_file) if collectors else to_file
        for url in urls:
            record = asyncio.run(stream_record(SocketNetwork(meter), settings, url, vantage))
            write(record)
            found.append(watchable(url, record))
            if not as_json:
                say(found[-1].sentence, flush=True)
    sent = send(folder / "spool", collectors, proxy) if collectors else None
    if as_json:
        streams = [asdict(one) for one in found]
        print_document({"streams": streams, "sent": asdict(sent) if sent else None})
    elif sent is not None:
        say(sent_line(sent))


probe_app = typer.Typer(help="Measure from this machine which sites work.", no_args_is_help=True)
add_former(probe_app, "watch", "fanous probe watch", "fanous probe run --every 10m")


@probe_app.command("run")
def probe_run(
    context: typer.Context,
    inputs: Inputs = None,
    lists: Lists = None,
    every: Annotated[
        float | None,
        typer.Option(
            "--every",
            metavar="DURATION",
            parser=seconds_of,
            help="Repeat at this interval: at least 10m, or 60s with --organisation.",
        ),
    ] = None,
    organisation: Annotated[
        bool,
        typer.Option("--organisation", help="With --every: this connection belongs to an organisation."),
    ] = False,
    during: Annotated[
        Path | None,
        typer.Option(
            "--during",
            metavar="FILE.ics",
            help="With --every: calendar of events; with --organisation, measure every 60 s around them.",
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option("--rounds", min=0, metavar="N", help="With --every: stop after N rounds; 0: never."),
    ] = None,
    out: Out = None,
    helper: Helper = None,
    country: Country = "ZZ",
    asn: Asn = 0,
    mobile: Mobile = False,
    cap_mb: CapMB = None,
    transfer: Annotated[
        int,
        typer.Option(
            "--transfer", min=0, metavar="N", help="Also compare download speeds, in N pairs (3 or 7)."
        ),
    ] = 0,
    localise: Annotated[
        bool,
        typer.Option(
            "--localise", help="If a name is blocked, find out how many hops away; may draw attention."
        ),
    ] = False,
    collectors: Collectors = None,
    proxy: Proxy = None,
    orders_key: OrdersKey = None,
    orders_root: OrdersRoot = None,
    settings_file: SettingsFile = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Also connect to private addresses returned by a resolver."),
    ] = False,
    ca_file: CaFile = None,
    no_health: Annotated[bool, typer.Option("--no-health", help="Skip the check of the connection.")] = False,
    yes: Yes = False,
    via: Annotated[
        Via | None,
        typer.Option("--via", help="Measure from other people's vantage points in --country, not from here."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure which sites work from here, and what is wrong with the others.

    Without -i or --list, the social platforms are measured.  If there is no network, or only a login page,
    nothing is concluded and the exit code is 1.

    With --every, rounds repeat until stopped, at slightly random intervals; each prints one line, and consent
    is checked before each.  With --collector, measurements are sent after each round.  While no collector can
    be reached they wait on disk, including those made without a network.

    With --via globalping, vantage points of Globalping on users' lines in --country measure popular targets, as far as
    the hour's free tests reach, and the results go into the store, or into the file of --out for `fanous ingest
    globalping`.  They can support what other probes found, but confirm nothing alone.  With --via atlas, RIPE Atlas
    probes do the same, for a key and credits, if the configuration says that you accept what becomes public.
    """
    from msgspec.structs import replace

    from fanous.probe.allowance import check_interval
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.trace import ProbeVantage
    from fanous.probe.words import round_line

    if via is not None:
        from_here = {
            "--every": every is not None,
            "--organisation": organisation,
            "--during": during,
            "--rounds": rounds is not None,
            "--helper": helper,
            "--asn": asn,
            "--mobile": mobile,
            "--cap-mb": cap_mb is not None,
            "--transfer": transfer,
            "--localise": localise,
            "--collector": collectors,
            "--proxy": proxy,
            "--settings": settings_file,
            "--allow-private": allow_private,
            "--ca-file": ca_file,
            "--no-health": no_health,
        }
        _refuse(from_here, "is for measurements from here: leave out this option or --via")
        probe_via(via, country_of(country), inputs or (), lists or (), out, store, config, as_json)
        return
    _refuse(
        {f"--{option}": is_given(context, option) for option in ("store", "config")},
        "needs --via: give --via globalping or --via atlas, or leave it out",
    )
    if every is None:
        given = {"--organisation": organisation, "--during": during, "--rounds": rounds is not None}
        _refuse(given, "needs --every: give --every 10m, or leave it out")
    else:
        _refuse(
            {"--localise": localise, "--json": as_json},
            "is for a single run: leave out this option or --every",
        )
        check_interval(every, organisation=organisation)
    wanted = wanted_by(inputs or (), lists or ())
    settings = adjusted(
        load_settings(settings_file), mobile=mobile, cap_mb=cap_mb, helper=helper, ca_file=ca_file
    )
    settings = replace(
        settings,
        allow_private=allow_private or settings.allow_private,
        transfer_pairs=transfer or settings.transfer_pairs,
        localise=localise,
    )
    vantage = ProbeVantage(country_of(country), asn, "mobile" if mobile else "")

    def one_run(*, quiet: bool, chance: "Random | None" = None) -> "RunReport":
        ordered = heeded(
            probe_folder(), collectors or (), orders_key, wanted, vantage.country, asn, proxy, orders_root
        )
        return measure(
            settings,
            vantage,
            ordered,
            out,
            with_health=not no_health,
            quiet=quiet,
            to_spool=bool(collectors),
            chance=chance,
        )

    def one_round(dice: "Random") -> None:
        check_consent(yes, settings.cap_mb)  # withdrawing consent ends the rounds, too
        began = time.time()
        report = one_run(quiet=True, chance=dice)
        say(f"{to_iso(began)}  {round_line(report)}", flush=True)
        if collectors:
            say(f"{to_iso(time.time())}  {_sent(collectors, proxy)}", flush=True)

    if every is not None:
        events = _announced(during, vantage.country, organisation=organisation)
        _go_on(one_round, every, settings.seed, rounds or 0, events, organisation=organisation)
        return
    check_consent(yes, settings.cap_mb)
    if localise:
        check_consent_to_localise(yes)
    report = one_run(quiet=as_json)
    sent = send(probe_folder() / "spool", collectors, proxy) if collectors else None
    _answer(report, out, sent, as_json)
    if report.health is not None and report.health.defect:
        raise FanousError(f"{report.health.defect}: too little was measured to judge the sites")


@probe_app.command("consent")
def probe_consent(
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraw your consent, and delete measurements not yet sent.")
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang", metavar="CODE", help="Language: en, ur, fa, ar, fr or es; default: from LANG."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Consent without a prompt.")] = False,
) -> None:
    """Give or withdraw your consent to measuring from this machine."""
    from fanous.probe import consent
    from fanous.probe.consent import consent_text, language_of, question
    from fanous.probe.settings import Settings

    folder = probe_folder()
    if withdraw:
        print("\n".join(withdrawn(folder)))
        return
    language = language_of({"LANG": lang} if lang else os.environ)
    print(consent_text(language, Settings().cap_mb))
    if not yes and not typer.confirm(question(language), default=False):
        raise typer.Exit(1)
    consent.give(folder, time.time())
    say(f"saved in {consent.consent_file(folder)}")


@probe_app.command("list")
def probe_list(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print the URLs in this list or file.")
    ] = None,
) -> None:
    """List the target lists included in Fanous or, with a name, the URLs in that list."""
    from fanous.refdata.targets import list_names, target_list

    if name is not None:
        wanted = wanted_by((), (name,))
        for line in [*wanted.urls, *(f"{app} (the app itself)" for app in wanted.apps)]:
            say(line)
        return
    for known in list_names():
        one = target_list(known)
        note = "  (opt-in: looking at these may draw attention)" if one.opt_in else ""
        apps = f", {len(one.apps)} apps" if one.apps else ""
        say(f"{known:14} {len(one.urls):3} URLs{apps}  {one.title}{note}")


def _refuse(given: Mapping[str, object], needed: str) -> None:
    """Raises:
    typer.BadParameter: one of these options was given.
    """
    for option, value in given.items():
        if value:
            raise typer.BadParameter(f"{option} {needed}")


def _go_on(
    one_round: Callable[["Random"], None],
    every: float,
    seed: int,
    rounds: int,
    events: Sequence[AnnouncedEvent],
    *,
    organisation: bool,
) -> None:
    """Measure until ``rounds`` are done (0 = until stopped), at the pace that announced events call for."""
    from random import Random

    from fanous.probe.allowance import cadence, least_interval, repeat

    dice = Random(seed or None)

    def interval() -> float:
        return cadence(every, time.time(), events, organisation=organisation)

    repeat(lambda _: one_round(dice), interval, least_interval(organisation=organisation), rounds=rounds)


def _announced(calendar: Path | None, country: str, *, organisation: bool) -> list[AnnouncedEvent]:
    """The events of a calendar, all assumed to be in the probe's own country."""
    if calendar is None:
        return []
    from fanous.cli.events import calendar_events

    if not organisation:
        say("a volunteer's connection is never measured more often, whatever is announced", file=sys.stderr)
    events = calendar_events(calendar, country)
    return [AnnouncedEvent("", event.start, event.end, event.title) for event in events]


def _sent(collectors: Sequence[str], proxy: str | None) -> str:
    """One line; if another process is sending right now, the rounds go on."""
    try:
        return sent_line(send(probe_folder() / "spool", collectors, proxy))
    except FanousError as error:
        if error.permanent:
            raise
        return str(error)


def _answer(report: "RunReport", out: Path | None, sent: "Sent | None", as_json: bool) -> None:
    from fanous.cli.common import screen
    from fanous.probe.output import print_sentences, report_document
    from fanous.probe.words import report_lines
    from fanous.wording.words import counted

    if as_json:
        print_document(report_document(report, out) | {"sent": asdict(sent) if sent else None})
        return
    print_sentences(report_lines(report), screen(highlight=False))
    if out is not None and report.outcomes:
        print()
        made = counted(len(report.outcomes), "measurement")
        say(f"Added {made} to {out}; run `fanous judge {out}` for the reasons.")
    elif out is not None and report.health is not None:
        print(f"\nThe check of the connection was added to {out}.")
    if sent is not None:
        say(sent_line(sent))


probe_app.command("stream")(probe_stream)
probe_app.command("serve")(probe_serve)
