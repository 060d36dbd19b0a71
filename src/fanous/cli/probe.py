"""``fanous probe``: the commands ``run``, ``serve``, ``stream``, ``consent`` and ``list``.

``serve`` answers Prometheus as blackbox_exporter does; ``stream`` measures whether live video plays from
here, and at what resolution.  stdout carries the answer (with ``--json`` one document and nothing else),
stderr everything else.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from fanous.cli.common import add_absent, print_document, say
from fanous.cli.options import JsonOptions, Options, argument, command, is_given, option
from fanous.cli.orders import heeded
from fanous.cli.probe_options import (
    Asn,
    CaFile,
    CapMB,
    Collectors,
    Country,
    Mobile,
    Out,
    ProbeRunOptions,
    Proxy,
    SettingsFile,
    Yes,
    check_consent,
    check_consent_to_localise,
    country_of,
    measure,
    send,
    sent_line,
    spooled,
    wanted_by,
    withdrawn,
)
from fanous.cli.probe_via import probe_via
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import to_iso
from fanous.probe.settings import probe_folder

if TYPE_CHECKING:
    from fanous.probe.run import RunReport
    from fanous.probe.upload import Sent


class ProbeServeOptions(Options):
    """Options of ``fanous probe serve``."""

    host: str = option("127.0.0.1", "Address to listen on.")
    port: int = option(9115, "Port to listen on; the default is blackbox_exporter's.", min=0, max=65_535)
    modules_file: Path | None = option(
        None, "More modules, in the format of blackbox.yml.", "--modules", metavar="FILE"
    )
    settings_file: SettingsFile = None
    ca_file: CaFile = None
    yes: Yes = False


@command
def probe_serve(options: ProbeServeOptions) -> None:
    """Serve Prometheus' probe_* metrics at /probe?target=&module=; modules: http_2xx, tcp_connect, icmp, fanous."""
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.serve import BUILT_IN, read_modules, serve
    from fanous.probe.settings import adjusted, load_settings

    settings = adjusted(load_settings(options.settings_file), ca_file=options.ca_file)
    modules = read_modules(options.modules_file) if options.modules_file else BUILT_IN
    check_consent(options.yes, settings.cap_mb)

    async def forever() -> None:
        server = await serve(SocketNetwork(), settings, options.host, options.port, modules)
        bound = server.sockets[0].getsockname()[1]
        say(f"listening on http://{options.host}:{bound}/probe?target=&module=", file=sys.stderr, flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(forever())


class ProbeStreamOptions(JsonOptions):
    """Options of ``fanous probe stream``."""

    urls: list[str] = argument(
        ..., "An HLS (.m3u8) or DASH (.mpd) manifest, or a large file.", metavar="URL..."
    )
    out: Out = None
    country: Country = "ZZ"
    asn: Asn = 0
    mobile: Mobile = False
    cap_mb: CapMB = None
    collectors: Collectors = None
    proxy: Proxy = None
    settings_file: SettingsFile = None
    ca_file: CaFile = None
    yes: Yes = False


@command
def probe_stream(options: ProbeStreamOptions) -> None:
    """Fetch ten seconds of video as a player would, and report whether 240p, 480p or 720p would play.

    Each stream uses up to 4 MB of data.
    """
    from fanous.probe.allowance import day_meter
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.output import record_file
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.stream import stream_record, watchable
    from fanous.probe.trace import ProbeVantage

    settings = adjusted(
        load_settings(options.settings_file),
        mobile=options.mobile,
        cap_mb=options.cap_mb,
        ca_file=options.ca_file,
    )
    vantage = ProbeVantage(country_of(options.country), options.asn, "mobile" if options.mobile else "")
    check_consent(options.yes, settings.cap_mb)
    folder, streams_watched = probe_folder(), []
    most = int(settings.cap_mb * 1e6)
    with day_meter(folder, most, time.time()) as meter, record_file(options.out) as to_file:
        write = spooled(folder / "spool", to_file) if options.collectors else to_file
        for url in options.urls:
            record = asyncio.run(stream_record(SocketNetwork(meter), settings, url, vantage))
            write(record)
            streams_watched.append(watchable(url, record))
            if not options.as_json:
                say(streams_watched[-1].sentence, flush=True)
    sent = send(folder / "spool", options.collectors, options.proxy) if options.collectors else None
    if options.as_json:
        streams = [asdict(watched) for watched in streams_watched]
        print_document({"streams": streams, "sent": asdict(sent) if sent else None})
    elif sent is not None:
        say(sent_line(sent))


probe_app = typer.Typer(help="Measure from this machine which sites work.", no_args_is_help=True)
add_absent(probe_app, "watch", "fanous probe watch", "it is now `fanous probe run --every 10m`")


@probe_app.command("run")
@command
def probe_run(options: ProbeRunOptions) -> None:
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
    from random import Random

    from msgspec.structs import replace

    from fanous.probe.allowance import cadence, check_interval, least_interval, repeat
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.trace import ProbeVantage
    from fanous.probe.words import round_line

    if options.via is not None:
        from_here = {
            "--every": options.every is not None,
            "--organisation": options.organisation,
            "--during": options.during,
            "--rounds": options.rounds is not None,
            "--helper": options.helper,
            "--asn": options.asn,
            "--mobile": options.mobile,
            "--cap-mb": options.cap_mb is not None,
            "--transfer": options.transfer,
            "--localise": options.localise,
            "--collector": options.collectors,
            "--proxy": options.proxy,
            "--settings": options.settings_file,
            "--allow-private": options.allow_private,
            "--ca-file": options.ca_file,
            "--no-health": options.no_health,
        }
        _refuse(from_here, "is for measurements from here: leave out this option or --via")
        probe_via(options, options.via)
        return
    _refuse(
        {f"--{name}": is_given(options.context, name) for name in ("store", "config")},
        "needs --via: give --via globalping or --via atlas, or leave it out",
    )
    every = options.every
    if every is None:
        options_given = {
            "--organisation": options.organisation,
            "--during": options.during,
            "--rounds": options.rounds is not None,
        }
        _refuse(options_given, "needs --every: give --every 10m, or leave it out")
    else:
        _refuse(
            {"--localise": options.localise, "--json": options.as_json},
            "is for a single run: leave out this option or --every",
        )
        check_interval(every, organisation=options.organisation)
    wanted = wanted_by(options.inputs or (), options.lists or ())
    settings = adjusted(
        load_settings(options.settings_file),
        mobile=options.mobile,
        cap_mb=options.cap_mb,
        helper=options.helper,
        ca_file=options.ca_file,
    )
    settings = replace(
        settings,
        allow_private=options.allow_private or settings.allow_private,
        transfer_pairs=options.transfer or settings.transfer_pairs,
        localise=options.localise,
    )
    vantage = ProbeVantage(country_of(options.country), options.asn, "mobile" if options.mobile else "")

    spool = probe_folder() / "spool"

    def one_run(*, quiet: bool, chance: Random | None = None) -> "RunReport":
        ordered = heeded(
            probe_folder(),
            options.collectors or (),
            options.orders_key,
            wanted,
            vantage.country,
            options.asn,
            options.proxy,
            options.orders_root,
        )
        return measure(options, settings, vantage, ordered, quiet=quiet, chance=chance)

    def one_round(dice: Random) -> None:
        check_consent(options.yes, settings.cap_mb)  # withdrawing consent ends the rounds, too
        began = time.time()
        report = one_run(quiet=True, chance=dice)
        say(f"{to_iso(began)}  {round_line(report)}", flush=True)
        if options.collectors:
            try:
                sending = sent_line(send(spool, options.collectors, options.proxy))
            except FanousError as error:  # another process is sending right now: the rounds go on
                if error.permanent:
                    raise
                sending = str(error)
            say(f"{to_iso(time.time())}  {sending}", flush=True)

    if every is not None:
        events = _announced(options.during, vantage.country, organisation=options.organisation)
        dice, organisation = Random(settings.seed or None), options.organisation
        repeat(
            lambda _: one_round(dice),
            lambda: cadence(every, time.time(), events, organisation=organisation),
            least_interval(organisation=organisation),
            rounds=options.rounds or 0,
        )
        return
    check_consent(options.yes, settings.cap_mb)
    if options.localise:
        check_consent_to_localise(options.yes)
    report = one_run(quiet=options.as_json)
    sent = send(spool, options.collectors, options.proxy) if options.collectors else None
    _answer(report, options.out, sent, options.as_json)
    if report.health is not None and report.health.defect:
        raise FanousError(f"{report.health.defect}: too little was measured to judge the sites")


class ProbeConsentOptions(Options):
    """Options of ``fanous probe consent``."""

    withdraw: bool = option(False, "Withdraw your consent, and delete measurements not yet sent.")
    lang: str | None = option(None, "Language: en, ur, fa, ar, fr or es; default: from LANG.", metavar="CODE")
    yes: bool = option(False, "Consent without a prompt.")


@probe_app.command("consent")
@command
def probe_consent(options: ProbeConsentOptions) -> None:
    """Give or withdraw your consent to measuring from this machine."""
    from fanous.probe import consent
    from fanous.probe.consent import consent_text, language_of, question
    from fanous.probe.settings import Settings

    folder = probe_folder()
    if options.withdraw:
        print("\n".join(withdrawn(folder)))
        return
    language = language_of({"LANG": options.lang} if options.lang else os.environ)
    print(consent_text(language, Settings().cap_mb))
    if not options.yes and not typer.confirm(question(language), default=False):
        raise typer.Exit(1)
    consent.give(folder, time.time())
    say(f"saved in {consent.consent_file(folder)}")


class ProbeListOptions(Options):
    """Options of ``fanous probe list``."""

    name: str | None = argument(None, "Print the URLs in this list or file.", metavar="[NAME]")


@probe_app.command("list")
@command
def probe_list(options: ProbeListOptions) -> None:
    """List the target lists included in Fanous or, with a name, the URLs in that list."""
    from fanous.refdata.targets import list_names, target_list

    if options.name is not None:
        wanted = wanted_by((), (options.name,))
        for line in [*wanted.urls, *(f"{app} (the app itself)" for app in wanted.apps)]:
            say(line)
        return
    for name in list_names():
        one = target_list(name)
        note = "  (opt-in: looking at these may draw attention)" if one.opt_in else ""
        apps = f", {len(one.apps)} apps" if one.apps else ""
        say(f"{name:14} {len(one.urls):3} URLs{apps}  {one.title}{note}")


def _refuse(options: Mapping[str, object], needed: str) -> None:
    """Raises:
    typer.BadParameter: one of these options was given.
    """
    for name, value in options.items():
        if value:
            raise typer.BadParameter(f"{name} {needed}")


def _announced(calendar: Path | None, country: str, *, organisation: bool) -> list[AnnouncedEvent]:
    """The events of a calendar, all assumed to be in the probe's own country."""
    if calendar is None:
        return []
    from fanous.cli.events import calendar_events

    if not organisation:
        say("a volunteer's connection is never measured more often, whatever is announced", file=sys.stderr)
    events = calendar_events(calendar, country)
    return [AnnouncedEvent("", event.start, event.end, event.title) for event in events]


UNSENT: Final = "Not sent anywhere, and not kept: add --collector URL to send it, or --out FILE to keep it."


def _answer(report: "RunReport", out: Path | None, sent: "Sent | None", as_json: bool) -> None:
    from fanous.base.text import one_line
    from fanous.cli.common import screen
    from fanous.probe.output import print_sentences, report_document
    from fanous.probe.words import report_lines
    from fanous.wording.words import counted

    if as_json:
        print_document(report_document(report, out) | {"sent": asdict(sent) if sent else None})
        return
    console = screen(highlight=False)
    print_sentences(report_lines(report), console)
    if out is not None and report.outcomes:
        print()
        count = counted(len(report.outcomes), "measurement")
        say(f"Added {count} to {out}; run `fanous judge {out}` for the reasons.")
    elif out is not None and report.health is not None:
        print(f"\nThe check of the connection was added to {out}.")
    if sent is not None:
        print_sentences([one_line(sent_line(sent))], console)
    elif out is None:
        print_sentences([UNSENT], console)


probe_app.command("stream")(probe_stream)
probe_app.command("serve")(probe_serve)
