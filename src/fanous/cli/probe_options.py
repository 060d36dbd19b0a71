"""What the probe commands share: options, consent before the first packet, and one round.

Measurements go to a collector through a spool on the probe's own disk, so that none is lost.  If no collector
can be reached they wait there (especially those made while there was no network) until a later run names a
collector.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import say
from fanous.cli.options import ReadOptions, option
from fanous.cli.orders import OrdersKey, OrdersRoot
from fanous.errors import FanousError
from fanous.probe.settings import probe_folder

if TYPE_CHECKING:
    from random import Random

    from fanous.probe.run import ProbeOptions, RunReport, Write
    from fanous.probe.settings import Settings
    from fanous.probe.trace import ProbeVantage
    from fanous.probe.upload import Sent

Collectors = Annotated[
    list[str] | None,
    typer.Option("--collector", metavar="URL", help="Send to this collector; repeat to name its mirrors."),
]
Proxy = Annotated[
    str | None,
    typer.Option(
        "--proxy",
        envvar="FANOUS_PROXY",
        metavar="URL",
        help="Send through this proxy, such as http://host:port.",
    ),
]


def spooled(folder: Path, write: "Write") -> "Write":
    """``write``, which also puts what a collector keeps of each record into the spool.

    Raises:
        FanousError: the spool is full, or cannot be written.
    """
    from fanous.probe.spool import Spool
    from fanous.sources.ooni.keep import kept_own

    spool = Spool(folder)

    def both(record: bytes) -> None:
        write(record)
        spool.put(kept_own(record))

    return both


def send(folder: Path, collectors: Sequence[str], proxy: str | None) -> "Sent":
    """Send everything that is waiting, if a collector can be reached now.

    It counts towards the day's data cap but is never held back by it: measurements should arrive.

    Raises:
        FanousError: another process is sending.
    """
    from fanous.probe.allowance import day_meter
    from fanous.probe.spool import Spool
    from fanous.probe.upload import Uploader

    async def once() -> "Sent":
        with day_meter(folder.parent, None, time.time()) as meter:
            async with Uploader(Spool(folder), collectors, proxy=proxy, on_bytes=meter.spend) as uploader:
                return await uploader.send()

    return asyncio.run(once())


APART = {
    "place_unknown": "name no country or network (give --country and --asn)",
    "network_not_public": "name a network number that is not used on the public internet (RFC 6996)",
    "address_contradicts": "came from an address of another country or network (a tunnel?)",
    "clock_ahead": "are dated ahead: set this machine's clock",
}
"""Reasons of ``fanous.collector.submission.Apart``, for the person who runs the probe; a test compares their names."""


def sent_line(sent: "Sent") -> str:
    """One or more sentences for people."""
    from fanous.probe.spool import REFUSED
    from fanous.wording.words import counted

    refused = f", {sent.refused} set aside" if sent.refused else ""
    why = f" ({sent.why})" if sent.why else ""
    them = "it" if sent.waiting == 1 else "them"
    waiting = (
        f", {sent.waiting} waiting for the next run: no collector took {them}{why}" if sent.waiting else ""
    )
    lines = [f"{counted(sent.acknowledged, 'measurement')} acknowledged{refused}{waiting}."]
    lines += [f"Set aside in the spool's folder {REFUSED!r}: {answer}." for answer in sent.answers]
    for reason, count in sorted(sent.apart.items()):
        lines.append(
            f"The collector keeps {count} of them apart, and draws no conclusion from them: they "
            f"{APART.get(reason, f'are apart ({reason})')}."
        )
    return " ".join(lines)


def withdrawn(folder: Path) -> list[str]:
    """Withdraw consent and delete measurements that no collector has; returns what to tell the user, and what only an
    operator can delete.

    Args:
        folder: the probe's.
    """
    from fanous.probe import consent
    from fanous.probe.spool import Spool
    from fanous.probe.upload import Reports

    existed = consent.withdraw(folder)
    lines = ["consent withdrawn" if existed else "no consent had been given"]
    if not (folder / "spool").is_dir():
        return lines
    spool = Spool(folder / "spool")
    deleted = spool.delete_all()
    if deleted:
        lines.append(f"{deleted} unsent measurements deleted")
    sent = Reports(spool.folder).ids()
    if sent:
        lines.append(
            "measurements already sent can only be deleted by the collector's operator, since Fanous does "
            "not know who you are. Give the operator these report ids:"
        )
        lines += [f"  {one}" for one in sent]
    return lines


_DURATION = re.compile("([0-9]{1,6})([smh])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Seconds in a length of time such as ``10m``.

    Raises:
        typer.BadParameter: the text is not a length of time.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a length of time such as 90s, 10m or 1h")
    return int(match[1]) * _SECONDS[match[2]]


Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE.jsonl", help="Append measurements to this file.")
]
Country = Annotated[str, typer.Option("--country", metavar="CC", help="Country you are in.")]
Asn = Annotated[int, typer.Option("--asn", min=0, help="ASN of your network; 0: unknown.")]
Mobile = Annotated[
    bool, typer.Option("--mobile", help="This is a mobile connection (limits data to 10 MB a day).")
]
CapMB = Annotated[float | None, typer.Option("--cap-mb", min=0, help="Maximum megabytes per day.")]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="TOML file with timeouts, resolvers, controls and other settings."),
]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", help="PEM file of certificate authorities to trust.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Consent for this run only (for scripts).")]


class Via(StrEnum):
    """The network whose vantage points measure."""

    GLOBALPING = "globalping"
    ATLAS = "atlas"

    @property
    def source(self) -> str:
        """Name of the source of its measurements."""
        return "atlas-measurements" if self is Via.ATLAS else str(self)


class ProbeRunOptions(ReadOptions):
    """Options of ``fanous probe run``."""

    context: typer.Context
    inputs: list[str] | None = option(
        None, "Measure this URL; may be repeated.", "-i", "--input", metavar="URL"
    )
    lists: list[str] | None = option(
        None,
        "Measure this list (`fanous probe list` shows the names) or file of URLs.",
        "--list",
        metavar="NAME",
    )
    every: float | None = option(
        None,
        "Repeat at this interval: at least 10m, or 60s with --organisation.",
        metavar="DURATION",
        parser=seconds_of,
    )
    organisation: bool = option(False, "With --every: this connection belongs to an organisation.")
    during: Path | None = option(
        None,
        "With --every: calendar of events; with --organisation, measure every 60 s around them.",
        metavar="FILE.ics",
    )
    rounds: int | None = option(None, "With --every: stop after N rounds; 0: never.", min=0, metavar="N")
    out: Out = None
    helper: str | None = option(None, "Ask this OONI test helper for control measurements.", metavar="URL")
    country: Country = "ZZ"
    asn: Asn = 0
    mobile: Mobile = False
    cap_mb: CapMB = None
    transfer: int = option(0, "Also compare download speeds, in N pairs (3 or 7).", min=0, metavar="N")
    localise: bool = option(False, "If a name is blocked, find out how many hops away; may draw attention.")
    collectors: Collectors = None
    proxy: Proxy = None
    orders_key: OrdersKey = None
    orders_root: OrdersRoot = None
    settings_file: SettingsFile = None
    allow_private: bool = option(False, "Also connect to private addresses returned by a resolver.")
    ca_file: CaFile = None
    no_health: bool = option(False, "Skip the check of the connection.")
    yes: Yes = False
    via: Via | None = option(None, "Measure from other people's vantage points in --country, not from here.")


def wanted_by(inputs: Sequence[str], lists: Sequence[str]) -> "ProbeOptions":
    """What the options name; entries of a list that cannot be measured are reported on stderr.

    Raises:
        FanousError: an unknown list or app, or a URL that cannot be requested.
    """
    from fanous.probe.run import wanted_of

    return wanted_of(inputs, lists, lambda line: say(line, file=sys.stderr))


def country_of(code: str) -> str:
    """The code in upper case; ``ZZ`` = unknown.

    Raises:
        FanousError: measuring from there would endanger people.
    """
    from fanous.probe.consent import check_country
    from fanous.refdata.countries import is_country

    upper = code.upper()
    if upper != "ZZ" and not is_country(upper):
        raise typer.BadParameter(f"{code!r} is not a country code (ISO 3166-1, such as PK)")
    check_country(upper)
    return upper


def check_consent(yes: bool, cap_mb: float) -> None:
    """Check consent before the first packet.

    Raises:
        FanousError: no consent.
    """
    from fanous.probe import consent
    from fanous.probe.consent import consent_text, language_of, question

    folder = probe_folder()
    if yes or consent.is_given(folder):
        return
    language = language_of(os.environ)
    print(consent_text(language, cap_mb), file=sys.stderr)
    if sys.stdin.isatty() and typer.confirm(question(language), default=False, err=True):
        consent.give(folder, time.time())
        return
    raise FanousError(
        "nothing was sent: consent first with `fanous probe consent`, or pass --yes in a script"
    )


def check_consent_to_localise(yes: bool) -> None:
    """Ask in every run, and never remember the answer.

    Raises:
        FanousError: no consent.
    """
    from fanous.probe.consent import language_of, localise_text, question

    if yes:
        return
    language = language_of(os.environ)
    print(localise_text(language), file=sys.stderr)
    if not (sys.stdin.isatty() and typer.confirm(question(language), default=False, err=True)):
        raise FanousError("nothing was sent: --localise needs your consent each time; pass --yes in a script")


def measure(
    options: ProbeRunOptions,
    settings: "Settings",
    vantage: "ProbeVantage",
    wanted: "ProbeOptions",
    *,
    quiet: bool,
    chance: "Random | None" = None,
) -> "RunReport":
    """One round under the day's data cap; usage is recorded however it ends."""
    from fanous.cli.common import screen
    from fanous.probe.allowance import day_meter
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.output import live_table, record_file
    from fanous.probe.run import run

    folder, most = probe_folder(), int(settings.cap_mb * 1e6)
    console = screen(stderr=True, highlight=False)
    with (
        day_meter(folder, most, time.time()) as meter,
        record_file(options.out) as to_file,
        live_table([*wanted.urls, *wanted.apps], console, quiet=quiet) as on_done,
    ):
        return asyncio.run(
            run(
                SocketNetwork(meter),
                settings,
                vantage,
                wanted.urls,
                spooled(folder / "spool", to_file) if options.collectors else to_file,
                on_done,
                with_health=not options.no_health,
                chance=chance,
                messengers=wanted.apps,
            )
        )
