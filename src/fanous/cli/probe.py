"""Command line of the probe: ``fanous probe run``, ``watch``, ``serve``, ``consent`` and ``list``.

stdout carries the answer (with ``--json`` one document and nothing else), stderr all the rest.
"""

import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.cli.common import JsonOption, print_document
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
    check_consent_to_localise,
    country_of,
    measure,
    wanted_by,
)
from fanous.cli.probe_serve import probe_serve, probe_watch
from fanous.cli.probe_stream import probe_stream
from fanous.cli.upload import Collectors, Proxy, send, sent_line, withdrawn
from fanous.errors import FanousError
from fanous.probe.settings import probe_folder

if TYPE_CHECKING:
    from fanous.probe.run import RunReport
    from fanous.probe.spool.upload import Sent

probe_app = typer.Typer(help="Measure from this machine: which sites work from here?", no_args_is_help=True)
probe_app.command("watch")(probe_watch)
probe_app.command("serve")(probe_serve)
probe_app.command("stream")(probe_stream)


@probe_app.command("run")
def probe_run(
    inputs: Inputs = None,
    lists: Lists = None,
    out: Out = None,
    helper: Helper = None,
    country: Country = "ZZ",
    asn: Asn = 0,
    mobile: Mobile = False,
    cap_mb: CapMB = None,
    transfer: Annotated[
        int,
        typer.Option("--transfer", min=0, metavar="N", help="Also compare the rate, in N pairs (3 or 7)."),
    ] = 0,
    localise: Annotated[
        bool,
        typer.Option("--localise", help="Where a name is cut, find out how far away; draws attention."),
    ] = False,
    collectors: Collectors = None,
    proxy: Proxy = None,
    orders_key: OrdersKey = None,
    settings_file: SettingsFile = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Also connect to private addresses that a resolver gives.")
    ] = False,
    ca_file: CaFile = None,
    no_health: Annotated[bool, typer.Option("--no-health", help="Do not look at the line first.")] = False,
    yes: Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Measure which sites work from here, and what is wrong with the others.

    Without -i and --list the social platforms are measured.  Exit 1 where there is no network, or a login
    page in front of it: nothing is concluded then.
    """
    from fanous.probe.record import ProbeVantage
    from fanous.probe.settings import adjusted, load_settings

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
    check_consent(yes, settings.cap_mb)
    if localise:
        check_consent_to_localise(yes)
    wanted = heeded(probe_folder(), collectors or (), orders_key, wanted, vantage.country, asn, proxy)
    report = measure(
        settings, vantage, wanted, out, with_health=not no_health, quiet=as_json, to_spool=bool(collectors)
    )
    sent = send(probe_folder() / "spool", collectors, proxy) if collectors else None
    _answer(report, out, sent, as_json)
    if report.health is not None and report.health.defect:
        raise FanousError(f"{report.health.defect}: the state of the sites is insufficient, not a finding")


@probe_app.command("consent")
def probe_consent(
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Forget that you consented, and delete what was not sent.")
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="CODE", help="en, ur, fa, ar, fr, es; default: as LANG says."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Consent without being asked.")] = False,
) -> None:
    """Give or withdraw your consent to measuring from this machine."""
    from fanous.probe import consent
    from fanous.probe.consent_text import consent_text, language_of, question
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
    print(f"remembered in {consent.consent_file(folder)}")


@probe_app.command("list")
def probe_list(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Print the URLs of this list, or file.")
    ] = None,
) -> None:
    """The lists of targets that ship with Fanous; with a name, what is in it."""
    from fanous.refdata.targets import list_names, target_list

    if name is not None:
        wanted = wanted_by((), (name,))
        print("\n".join([*wanted.urls, *(f"{app} (the app itself)" for app in wanted.apps)]))
        return
    for known in list_names():
        one = target_list(known)
        note = "  (opt-in: looking at these may draw attention)" if one.opt_in else ""
        apps = f", {len(one.apps)} apps" if one.apps else ""
        print(f"{known:14} {len(one.urls):3} URLs{apps}  {one.title}{note}")


def _answer(report: "RunReport", out: Path | None, sent: "Sent | None", as_json: bool) -> None:
    from fanous.cli.screen import screen
    from fanous.probe.display import print_sentences
    from fanous.probe.output import report_document
    from fanous.probe.words import report_lines

    if as_json:
        print_document(report_document(report, out) | {"sent": asdict(sent) if sent else None})
        return
    print_sentences(report_lines(report), screen(highlight=False))
    if out is not None and report.outcomes:
        print(f"\n{len(report.outcomes)} measurements were added to {out}; `fanous judge {out}` says why.")
    elif out is not None and report.health is not None:
        print(f"\nThe look at the line was added to {out}.")
    if sent is not None:
        print(sent_line(sent))
